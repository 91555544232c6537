"""The handle on one simulator of OpenAI: start it, order faults, ask what it saw."""

import asyncio
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
from app.sandbox.frame.webhooks import Notice
from app.sandbox.openai.account import Account
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.control import AccountControl, change
from app.sandbox.openai.job import Job
from app.sandbox.openai.vendor import OpenAIVendor


class SimulatedOpenAI:
    """OpenAI on loopback, served from a thread of its own between `start` and `stop`.

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
        self._open(OpenAIVendor(self._account), contract, port)

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
        return f"http://{HOST}:{self._server.port}{OpenAIVendor.base}"

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
        """All jobs that were created, and would be paid, the oldest first."""
        return list(self._account.jobs.all.values())

    @property
    def webhooks(self) -> Sequence[Notice]:
        """All webhooks, sent or held."""
        return self._account.outbox.notices

    def creations(self, key: str) -> Counter[str]:
        """How many jobs were created for each value of a metadata key."""
        return self._account.jobs.creations(key)

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

    def pass_time(self, seconds: float) -> None:
        """Move the clock ahead, with everything that is due by then."""
        self._server.do(lambda: self._pass_time(seconds))

    def fail(self, job: str, *, code: str = "server_error", message: str = "It failed.") -> None:
        """Let a job fail."""
        self._server.do(lambda: self._account.jobs.fail(job, code, message))

    async def deliver(self, notice: Notice, *, age_seconds: float = 0) -> int | None:
        """Send a webhook, again or for the first time, as if signed some seconds ago.

        Gives the status of the answer, None where nobody answered.
        """
        return await asyncio.to_thread(
            asyncio.run, self._account.deliver(notice, age_seconds=age_seconds)
        )

    def _open(self, vendor: OpenAIVendor, contract: Published | None, port: int) -> None:
        self._front = Front(vendor, contract)
        routes = [
            *Control(self._front, self.clock).routes(),
            *AccountControl(self._account).routes(),
        ]
        self._server = Server(
            self._front.app(routes), self._front.connections, vendor.catch_up, port
        )

    def _pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._front.vendor.catch_up()
