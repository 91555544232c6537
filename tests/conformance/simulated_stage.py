"""What the stages before a simulator have in common."""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from app.domain.jobs import Remote
from app.sandbox.frame.faults import Failure, Fault, Reset, too_many_requests
from app.sandbox.frame.memory import Seen


class Simulated(Protocol):
    """What every simulator can be told and asked."""

    @property
    def url(self) -> str: ...

    @property
    def requests(self) -> Sequence[Seen]: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def order(
        self,
        fault: Fault,
        path: str,
        *,
        method: str = "*",
        times: int = 1,
        skip: int = 0,
        share: float = 1,
    ) -> None: ...

    def withdraw(self) -> None: ...

    def change(self, **changes: Any) -> None: ...

    def advance(self, beats: int = 1, *, job: str | None = None) -> None: ...

    def fail(self, job: str, *, message: str = "It failed.") -> None: ...


AnySimulated = TypeVar("AnySimulated", bound=Simulated)


class SimulatedStage(Generic[AnySimulated]):
    """A vendor whose jobs move when they are told to; `create` is the request that makes one."""

    create: ClassVar[tuple[str, str]]
    learns = True

    simulated: AnySimulated

    def begin(self, remote: Remote) -> None:
        self.simulated.advance(3, job=remote.id)

    def finish(self, remote: Remote) -> None:
        self.simulated.advance(9, job=remote.id)

    def fail(self, remote: Remote) -> None:
        self.simulated.fail(remote.id, message="It failed.")

    def lose_the_next_create(self) -> None:
        self._spoil(Reset(during="effect"))

    def answer_the_next_create(self, status: int) -> None:
        self._spoil(Failure(status=status))

    def be_busy(self, seconds: float, *, looks: bool = False) -> None:
        busy = too_many_requests(seconds=seconds)
        if looks:
            self.simulated.order(busy, "*", method="GET")
        else:
            self._spoil(busy)

    def go_away(self) -> None:
        self.simulated.stop()

    def come_back(self) -> None:
        self.simulated.start()

    def _spoil(self, fault: Fault) -> None:
        method, path = self.create
        self.simulated.order(fault, path, method=method)
