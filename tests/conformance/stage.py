"""What the suite needs of a provider: itself, connected to its simulator, and strings to pull."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from app.domain.jobs import Method, Remote
from app.domain.provider import ExampleSource, Provider, TrainingPlan

EXAMPLES = 12

STILL_OPEN = {
    "creation": {"closes_at": "2999-01-01"},
    "defaults": {"training_ends_at": "2999-01-01"},
}
"""What a vendor's catalogue is corrected to, whatever day it is."""


class Stage(Protocol):
    """One provider before the place where it trains, which does only what it is told."""

    @property
    def provider(self) -> Provider: ...

    @property
    def base_model(self) -> str:
        """One that can be tuned by `sft`."""
        ...

    @property
    def learns(self) -> bool:
        """Whether what was tuned answers what its examples taught."""
        ...

    def connect(self) -> Provider:
        """The provider anew, as another process has it; whoever asks for it closes it."""
        ...

    def begin(self, remote: Remote) -> None:
        """Let the job run, with a part of its training done."""
        ...

    def finish(self, remote: Remote) -> None:
        """Let the job come to its end, which is a good one if nothing else was asked for."""
        ...

    def fail(self, remote: Remote) -> None:
        """Let the job fail, with `It failed.` as the reason."""
        ...

    def creations(self, key: str) -> int:
        """How many jobs were ever created with a submission key."""
        ...

    def writes(self) -> int:
        """How often something was asked for that is not only reading."""
        ...


class VendorStage(Stage, Protocol):
    """A stage whose place to train is a vendor's, simulated on loopback."""

    @property
    def secrets(self) -> Sequence[str]:
        """The credentials that are in use, which nobody may ever read."""
        ...

    def say(self, remote: Remote, word: str) -> None:
        """Let the vendor give the job's status in a word that nobody knows."""
        ...

    def lose_the_next_create(self) -> None:
        """Let the vendor create the next job, and answer nothing."""
        ...

    def answer_the_next_create(self, status: int) -> None:
        """Let the vendor answer the next create with an error of its own, nothing created."""
        ...

    def be_busy(self, seconds: float, *, looks: bool = False) -> None:
        """Refuse the next create, or look, with the hint to come back after some seconds."""
        ...

    def expire_the_credentials(self) -> None:
        """Take the credentials no more."""
        ...

    def go_away(self) -> None:
        """Be unreachable."""
        ...

    def come_back(self) -> None:
        """Be reachable again; nothing was forgotten."""
        ...

    async def tune_by_hand(self) -> Remote:
        """Let a person tune the base model on `chats()` with the vendor's own client."""
        ...


@dataclass(frozen=True)
class Lines(ExampleSource):
    """Examples in memory."""

    lines: Sequence[bytes]

    @classmethod
    def of(cls, examples: Iterable[Any]) -> "Lines":
        """Canonical examples, a line each."""
        return cls([msgspec.json.encode(example) for example in examples])

    @property
    def count(self) -> int:
        return len(self.lines)

    async def chunks(self) -> AsyncIterator[bytes]:
        for line in self.lines:
            yield line[:10]
            yield line[10:] + b"\n"


def question(number: int) -> dict[str, Any]:
    """What example `number` asks."""
    return {"role": "user", "content": f"What is {number} doubled?"}


def answer(number: int) -> str:
    """What example `number` teaches."""
    return f"It is {2 * number}."


def chats(count: int = EXAMPLES) -> Lines:
    """Canonical conversations."""
    return Lines.of({"messages": [question(n), _said(answer(n))]} for n in range(count))


def preferences(count: int = EXAMPLES) -> Lines:
    """Canonical pairs of answers."""
    return Lines.of(
        {"prompt": [question(n)], "chosen": [_said(answer(n))], "rejected": [_said("No.")]}
        for n in range(count)
    )


def plan(stage: Stage, key: str = "job-1-1", **others: Any) -> TrainingPlan:
    """Supervised tuning of the stage's base model."""
    given: dict[str, Any] = {
        "key": key,
        "base_model": stage.base_model,
        "parent_artifact": None,
        "method": Method("sft", {"epochs": 2}),
        "seed": 7,
        "name": "weather",
        "training": chats(),
        "validation": None,
    }
    return TrainingPlan(**given | others)


def _said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}
