"""The handle on one simulator of Vertex AI: start it, order faults, ask what it saw."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.control import Control
from app.sandbox.frame.faults import Fault
from app.sandbox.frame.front import Front
from app.sandbox.frame.memory import Seen, Violation
from app.sandbox.frame.operations import Published
from app.sandbox.frame.orders import Order
from app.sandbox.frame.serving import HOST, Server
from app.sandbox.vertex.account import Account
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.control import AccountControl, change
from app.sandbox.vertex.job import Job
from app.sandbox.vertex.vendor import GoogleVendor


class SimulatedVertex:
    """Vertex AI and Cloud Storage at one address on loopback, between `start` and `stop`.

    What it keeps outlives a stop, and it comes back on the same port. Port 0 takes a free one.
    With `contract` requests and answers are checked against those documents as well.
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
        vendor = GoogleVendor(self._account)
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
        """The address of both APIs, known once it has started."""
        return f"http://{HOST}:{self._server.port}"

    @property
    def requests(self) -> Sequence[Seen]:
        """All requests, the first one first."""
        return self._front.memory.requests

    @property
    def violations(self) -> list[Violation]:
        """What broke Google's contract, on either side."""
        return self._front.memory.violations

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs that were created, and would be paid, the oldest first."""
        return list(self._account.jobs.all.values())

    @property
    def objects(self) -> Sequence[str]:
        """The `gs://` addresses of all objects."""
        return [f"gs://{bucket}/{name}" for bucket, name in self._account.storage.objects]

    @property
    def writes(self) -> int:
        """How often an object was written."""
        return self._account.storage.writes

    @property
    def models(self) -> Sequence[str]:
        """The names of all tuned models."""
        return list(self._account.registry.models)

    @property
    def endpoints(self) -> Sequence[str]:
        """The names of all endpoints."""
        return list(self._account.registry.endpoints)

    @property
    def tokens(self) -> Sequence[str]:
        """All access tokens that were given out."""
        return self._account.tokens.granted

    def read(self, address: str) -> bytes | None:
        """The bytes of an object by its `gs://` address."""
        return self._account.storage.read(address)

    def put(self, bucket: str, name: str, content: bytes) -> None:
        """Replace the bytes of an object behind everybody's back."""
        self._account.storage.put(bucket, name, content)

    def creations(self, label: str) -> Counter[str]:
        """How many jobs were created for each value of a label."""
        return self._account.jobs.creations(label)

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

    def fail(self, job: str, *, message: str = "Internal error.") -> None:
        """Let a job fail."""
        self._server.do(lambda: self._account.jobs.fail(job, message))
