"""The models of the account: those that can be tuned, and those that were."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.openai.answers import Answers
from app.sandbox.openai.conditions import Conditions

ORGANISATION = "sandbox"

# What each base model can be tuned by, and when it was created, in seconds since 1970.
BASES: Mapping[str, tuple[frozenset[str], int]] = {
    "gpt-4.1-2025-04-14": (frozenset({"supervised", "dpo"}), 1744315746),
    "gpt-4.1-mini-2025-04-14": (frozenset({"supervised", "dpo"}), 1744317547),
    "gpt-4.1-nano-2025-04-14": (frozenset({"supervised", "dpo"}), 1744321025),
    "gpt-4o-2024-08-06": (frozenset({"supervised", "dpo"}), 1722814719),
    "gpt-4o-mini-2024-07-18": (frozenset({"supervised"}), 1721172717),
    "o4-mini-2025-04-16": (frozenset({"reinforcement"}), 1744133506),
}

# What OpenAI has announced. No condition until it is ordered: the simulator does not age.
ANNOUNCED_SHUTDOWNS: Mapping[str, date] = {
    "o4-mini-2025-04-16": date(2026, 10, 23),
    "gpt-4.1-nano-2025-04-14": date(2026, 10, 23),
    "gpt-4o-2024-08-06": date(2027, 1, 14),
    "gpt-4o-mini-2024-07-18": date(2027, 1, 14),
    "gpt-4.1-2025-04-14": date(2027, 1, 14),
    "gpt-4.1-mini-2025-04-14": date(2027, 1, 14),
}


@dataclass(frozen=True, slots=True)
class TunedModel:
    """A model that a job made; `base` is the one at the very bottom."""

    name: str
    base: str
    created_at: int
    examples: int
    answers: Answers


class Models:
    """All models that the account can reach."""

    def __init__(self, conditions: Conditions, clock: Clock) -> None:
        self._conditions = conditions
        self._clock = clock
        self._tuned: dict[str, TunedModel] = {}

    def list(self, _asked: Asked) -> Reply:
        """GET /models"""
        names = [*BASES, *self._tuned]
        living = [name for name in names if not self._is_retired(name)]
        return Reply.of({"object": "list", "data": [self._shape(name) for name in living]})

    def retrieve(self, asked: Asked) -> Reply:
        """GET /models/{model}"""
        name = asked.names["model"]
        self.base_of(name)
        return Reply.of(self._shape(name))

    def delete(self, asked: Asked) -> Reply:
        """DELETE /models/{model}"""
        name = asked.names["model"]
        self.base_of(name)
        if name in BASES:
            raise Refused(403, "You have insufficient permissions to delete this model.")
        del self._tuned[name]
        return Reply.of({"id": name, "object": "model", "deleted": True})

    def add(self, model: TunedModel) -> None:
        """A job has made a model, or a checkpoint of one."""
        self._tuned[model.name] = model

    def tuned(self, name: str) -> TunedModel | None:
        """A model that a job made, None where it is no such model."""
        return self._tuned.get(name)

    def base_of(self, name: str) -> str:
        """The base model at the bottom; an unknown or a retired one raises `Refused`."""
        if (name not in BASES and name not in self._tuned) or self._is_retired(name):
            raise Refused(
                404,
                f"The model `{name}` does not exist or you do not have access to it.",
                code="model_not_found",
                param="model",
            )
        return self._base(name)

    def _is_retired(self, name: str) -> bool:
        last = self._conditions.shutdown_dates.get(self._base(name))
        return last is not None and datetime.fromtimestamp(self._clock.now(), UTC).date() >= last

    def _base(self, name: str) -> str:
        return name if name in BASES else self._tuned[name].base

    def _shape(self, name: str) -> dict[str, Any]:
        last = self._conditions.shutdown_dates.get(self._base(name))
        return {
            "id": name,
            "object": "model",
            "created": BASES[name][1] if name in BASES else self._tuned[name].created_at,
            "owned_by": "system" if name in BASES else ORGANISATION,
            "shutdown_date": None if last is None else last.isoformat(),
        }
