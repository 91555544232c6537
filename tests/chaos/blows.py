"""Blows against a service's processes and its database, and who begins them again."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from app.storage.leases import LEASE_SECONDS
from tests.crash.processes import Luthier
from tests.own_postgres import Postgres

RESTART_SECONDS = 1.0

KILL_PAUSE_SECONDS = (6.0, 15.0)

FREEZE_PAUSE_SECONDS = (1.0, 20.0)

AWAY_SECONDS = (2.0, 6.0)
"""How long the database is away."""

POWER_CUTS = 3


class Supervised:
    """A process that is begun again whenever it has ended."""

    def __init__(self, luthier: Luthier, *command: str) -> None:
        self._luthier = luthier
        self._command = command
        self.is_stopped = False

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Kept alive within the block."""
        await self._luthier.start(*self._command)
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            await self._luthier.close()

    def kill(self) -> bool:
        """kill -9; whether there was something to kill."""
        if self._luthier.is_alive:
            self._luthier.send(signal.SIGKILL)
            return True
        return False

    async def freeze(self, seconds: float) -> bool:
        """Let the process stand still; whether there was one."""
        if not self._luthier.is_alive:
            return False
        self.is_stopped = True
        self._luthier.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._luthier.send(signal.SIGCONT)
        self.is_stopped = False
        return True

    async def _keep(self) -> None:
        while True:
            with suppress(TimeoutError):
                await self._luthier.ended()
            if not self._luthier.is_alive:
                await asyncio.sleep(RESTART_SECONDS)
                await self._luthier.start(*self._command)


class Blows:
    """Everything that hits the processes and the server, counted."""

    def __init__(
        self, workers: Sequence[Supervised], service: Supervised, server: Postgres, seed: int
    ) -> None:
        self._workers = workers
        self._service = service
        self._server = server
        self._chance = random.Random(seed)
        self.counts: Counter[str] = Counter()

    @asynccontextmanager
    async def ready(self) -> AsyncGenerator[None]:
        """All processes are kept alive within the block."""
        async with AsyncExitStack() as stack:
            for process in (*self._workers, self._service):
                await stack.enter_async_context(process.running())
            yield

    async def rage(self, seconds: float) -> None:
        """Deal all sorts of blows for so long; in the end everything runs again."""
        ends = time.monotonic() + seconds
        async with asyncio.TaskGroup() as blows:
            blows.create_task(self._kill_until(ends))
            blows.create_task(self._freeze_until(ends))
            blows.create_task(self._cut_the_power_until(ends))

    async def _kill_until(self, ends: float) -> None:
        while await self._pause(KILL_PAUSE_SECONDS, ends):
            self._kill_one()

    def _kill_one(self) -> None:
        process = self._chance.choice([*self._workers, self._service])
        if not process.is_stopped and process.kill():
            whom = "the service" if process is self._service else "a worker"
            self.counts[f"kill -9 of {whom}"] += 1

    async def _freeze_until(self, ends: float) -> None:
        """A worker sleeps through its leases, and wakes up to find others at its work."""
        while await self._pause(FREEZE_PAUSE_SECONDS, ends):
            seconds = LEASE_SECONDS + self._chance.uniform(1, 10)
            if await self._chance.choice(self._workers).freeze(seconds):
                self.counts["worker stopped beyond its leases"] += 1

    async def _cut_the_power_until(self, ends: float) -> None:
        between = (ends - time.monotonic()) / (POWER_CUTS + 1)
        while await self._pause((between, between), ends):
            await asyncio.to_thread(self._server.stop)
            await asyncio.sleep(self._chance.uniform(*AWAY_SECONDS))
            await asyncio.to_thread(self._server.start)
            self.counts["database cut off and restarted"] += 1

    async def _pause(self, between: tuple[float, float], ends: float) -> bool:
        """Wait a while; False where the storm is over then."""
        await asyncio.sleep(self._chance.uniform(*between))
        return time.monotonic() < ends
