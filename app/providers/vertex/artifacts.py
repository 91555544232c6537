"""The handle of a tuned model: the registered model and the endpoint that answers for it."""

from typing import Self

import msgspec


class Tuned(msgspec.Struct, frozen=True):
    """What a training left: `projects/../models/ID@1`, `projects/../endpoints/ID`.

    `checkpoint` is the id of a saved state other than the last.
    """

    model: str
    endpoint: str | None = None
    checkpoint: str | None = None

    @classmethod
    def parse(cls, handle: str) -> Self:
        """The parts of a handle as `str` wrote it."""
        model, *rest = handle.split(" ")
        named = dict(part.split("=", 1) for part in rest)
        return cls(model, named.get("endpoint"), named.get("checkpoint"))

    def __str__(self) -> str:
        endpoint = f" endpoint={self.endpoint}" if self.endpoint else ""
        checkpoint = f" checkpoint={self.checkpoint}" if self.checkpoint else ""
        return self.model + endpoint + checkpoint

    @property
    def bare_model(self) -> str:
        """The model without its version."""
        return self.model.partition("@")[0]
