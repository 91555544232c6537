"""A vendor that stops serving its models, and one that says what may be set."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, Bound
from app.domain.provider import Operation, ProviderSpec, Servable
from tests.simulated.simulated_provider import SimulatedProvider

BOUNDS = {
    "epochs": Bound(low=1, high=4, is_whole=True),
    "batch_size": Bound(low=1, high=256, is_whole=True),
    "learning_rate": Bound(low=0, is_above=True, high=1),
    "adapter_size": Bound(choices=[1, 2, 4, 8, 16]),
}


class Serving(SimulatedProvider):
    """Its models answer without being deployed."""

    @property
    def spec(self) -> ProviderSpec:
        operations = super().spec.operations - {Operation.DEPLOY}
        return msgspec.structs.replace(super().spec, operations=operations)


class Retiring(Serving):
    """Where models come from, until they are retired."""

    _ends_at: date | None = None

    def retire(self) -> None:
        """Serve nothing any more."""
        self._ends_at = date(2020, 1, 1)

    def base_models(self) -> Sequence[BaseModel]:
        return [
            msgspec.structs.replace(base, serving_ends_at=self._ends_at)
            for base in super().base_models()
        ]


class Elsewhere(Serving):
    """Where models are taken to."""

    answers_badly = False

    def base_models(self) -> Sequence[BaseModel]:
        bounds = {"sft": BOUNDS, "dpo": BOUNDS}
        return [
            msgspec.structs.replace(base, hyperparameters=bounds) for base in super().base_models()
        ]

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """The same, or nonsense."""
        completion = await super().chat(model, request)
        if self.answers_badly:
            completion["choices"][0]["message"]["content"] = "nonsense"
        return completion
