"""The handle on one simulated workspace: start it, order faults, ask what it saw."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from app.sandbox.azure_ml.account import Account
from app.sandbox.azure_ml.conditions import Conditions
from app.sandbox.azure_ml.control import AccountControl, change
from app.sandbox.azure_ml.job import Job
from app.sandbox.azure_ml.vendor import AzureMLVendor
from app.sandbox.frame.clock import Clock
from app.sandbox.frame.control import Control
from app.sandbox.frame.faults import Fault
from app.sandbox.frame.front import Front
from app.sandbox.frame.memory import Seen, Violation
from app.sandbox.frame.operations import Published
from app.sandbox.frame.orders import Order
from app.sandbox.frame.serving import HOST, Server


class SimulatedAzureML:
    """A workspace on loopback, served from a thread of its own between `start` and `stop`.

    What it keeps outlives a stop, and it comes back on the same port. Port 0 takes a free one.
    With `contract` every request and answer is checked against that document as well.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        contract: Published | None = None,
        clock: Clock | None = None,
        conditions: Conditions | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.conditions = conditions or Conditions()
        self._account = Account(self.conditions, self.clock)
        vendor = AzureMLVendor(self._account)
        self._front = Front(vendor, contract)
        routes = [
            *Control(self._front, self.clock).routes(),
            *AccountControl(self._account).routes(),
        ]
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
        """Azure Resource Manager's address, known once it has started."""
        return f"http://{HOST}:{self._server.port}"

    @property
    def storage_url(self) -> str:
        """The blob storage's address."""
        return f"{self.url}/blobs"

    @property
    def requests(self) -> Sequence[Seen]:
        """All requests, the first one first."""
        return self._front.memory.requests

    @property
    def violations(self) -> list[Violation]:
        """What broke the vendor's contract, on either side."""
        return self._front.memory.violations

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs, the oldest first."""
        return list(self._account.jobs.all.values())

    @property
    def models(self) -> Sequence[tuple[str, str]]:
        """Name and version of every registered model."""
        return list(self._account.models.all)

    @property
    def blobs(self) -> dict[str, bytes]:
        """What lies in the workspace's container, by path."""
        return {path: blob.content for path, blob in self._account.storage.blobs.items()}

    @property
    def creations(self) -> Counter[str]:
        """How often a job was created under each name."""
        return self._account.jobs.creations

    def start(self) -> None:
        """Serve in a thread."""
        self._server.start()

    def stop(self) -> None:
        """Be unreachable: every connection breaks, and no new one is taken."""
        self._server.stop()

    def order(
        self, fault: Fault, path: str, *, method: str = "*", times: int = 1, skip: int = 0
    ) -> None:
        """Spoil the next `times` requests to a path, `*` standing for anything in it."""
        order = Order(fault=fault, path=path, method=method, times=times, skip=skip)
        self._server.do(lambda: self._front.orders.add(order))

    def change(self, **changes: Any) -> None:
        """Change conditions, all or none."""
        self._server.do(lambda: change(self.conditions, changes))

    def advance(self, beats: int = 1, *, job: str | None = None) -> None:
        """Move a job on, or all."""
        self._server.do(lambda: self._account.jobs.advance(beats, job))

    def fail(self, job: str, *, message: str = "It failed.") -> None:
        """Let a job fail."""
        self._server.do(lambda: self._account.jobs.fail(job, message))

    def write(self, path: str, content: bytes) -> None:
        """Write a blob as a job's container would."""
        self._server.do(lambda: self._account.storage.store(path, content))
