"""The handle on one simulator: start it, order faults, ask what it saw."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Generic, Self

from app.sandbox.frame.conditions import change
from app.sandbox.frame.control import Control
from app.sandbox.frame.faults import Fault
from app.sandbox.frame.front import Front
from app.sandbox.frame.memory import Seen, Violation
from app.sandbox.frame.operations import Published, Vendor
from app.sandbox.frame.orders import Order
from app.sandbox.frame.serving import HOST, Server
from app.sandbox.frame.vendor_control import AnyAccount, VendorControl


class Handle(Generic[AnyAccount]):
    """A vendor on loopback, served from a thread of its own between `start` and `stop`.

    What it keeps outlives a stop, and it comes back on the same port. Port 0 takes a free one.
    With `contract` every request and answer is checked against that as well.
    """

    def __init__(
        self,
        vendor: Vendor,
        control: VendorControl[Any],
        account: AnyAccount,
        *,
        contract: Published | None,
        port: int,
    ) -> None:
        self._account = account
        self._front = Front(vendor, contract)
        self._control = Control(self._front, account.clock)
        routes = [*self._control.routes(), *control.routes()]
        self._server = Server(
            self._front.app(routes), self._front.connections, vendor.catch_up, port
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL for clients, known once it has started."""
        return f"http://{HOST}:{self._server.port}{self._front.vendor.base}"

    @property
    def requests(self) -> Sequence[Seen]:
        """All requests, the first one first."""
        return self._front.memory.requests

    @property
    def violations(self) -> list[Violation]:
        """What broke the vendor's contract, on either side."""
        return self._front.memory.violations

    def start(self) -> None:
        """Serve in a thread."""
        self._server.start()

    def stop(self) -> None:
        """Be unreachable: every connection breaks, and no new one is taken."""
        self._server.stop()

    def order(
        self,
        fault: Fault,
        path: str,
        *,
        method: str = "*",
        times: int = 1,
        skip: int = 0,
        share: float = 1,
    ) -> None:
        """Spoil the next `times` requests to a path, or a share of them by chance.

        `*` in a path stands for anything.
        """
        order = Order(fault=fault, path=path, method=method, times=times, skip=skip, share=share)
        self._server.do(lambda: self._front.orders.add(order))

    def withdraw(self) -> None:
        """Forget all orders that are still open."""
        self._server.do(self._front.orders.withdraw)

    def change(self, **changes: Any) -> None:
        """Change conditions, all or none."""
        self._server.do(lambda: change(self._account.conditions, changes))

    def advance(self, beats: int = 1, *, job: str | None = None) -> None:
        """Move a job on, or all."""
        self._server.do(lambda: self._account.jobs.advance(beats, job))

    def pass_time(self, seconds: float) -> None:
        """Move the clock ahead, with everything that is due by then."""
        self._server.do(lambda: self._control.pass_time(seconds))
