"""The faults that were ordered, and which of them a request gets."""

import random
from collections.abc import Sequence
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from app.sandbox.frame.faults import Fault


class Order(BaseModel):
    """A fault for the next `times` requests of a method and a path, the first `skip` let by.

    `path` is a pattern in which `*` stands for anything, `/v1/fine_tuning/jobs/*`; `method` `*`
    is any. With a `share` below 1 chance decides which of them get it.
    """

    model_config = ConfigDict(extra="forbid")

    fault: Fault
    path: str
    method: str = "*"
    times: PositiveInt = 1
    skip: NonNegativeInt = 0
    share: float = Field(default=1, gt=0, le=1)

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is one of those that were meant."""
        return fnmatchcase(path, self.path) and self.method in ("*", method)


class Orders:
    """The open orders, the oldest first."""

    def __init__(self) -> None:
        self._open: list[Order] = []
        # Reproducible, and no secret.
        self._chance = random.Random(7)  # noqa: S311

    @property
    def open(self) -> Sequence[Order]:
        """Those that are still to be carried out."""
        return tuple(self._open)

    def add(self, order: Order) -> None:
        """Take one more."""
        self._open.append(order)

    def withdraw(self) -> None:
        """Forget all."""
        self._open.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for one request, counted against the first order that means it."""
        for order in self._open:
            if order.meets(method, path) and self._falls_to(order):
                return self._count(order)
        return None

    def _falls_to(self, order: Order) -> bool:
        return order.share == 1 or self._chance.random() < order.share

    def _count(self, order: Order) -> Fault | None:
        if order.skip:
            order.skip -= 1
            return None
        order.times -= 1
        if not order.times:
            self._open.remove(order)
        return order.fault
