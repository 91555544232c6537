"""Waiting for a job to change: one look at the database for all who wait in this process."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from app.domain.errors import DatabaseUnavailable
from app.domain.jobs import Job, StoredEvent
from app.services.jobs import Jobs
from app.storage import jobs
from app.storage.database import Database
from app.storage.signals import JOB_CHANGED, Signals
from app.storage.tenancy import as_service

LOOK_EVERY_SECONDS = 0.25
"""A thousand watchers cost one query each quarter of a second, whoever changed the job."""

EVENTS_AT_ONCE = 200

QUIET_SECONDS = 10.0
"""How long a stream may say nothing before its reader is told that it lives."""

Seen = tuple[int, int]
"""A job's revision and number of events."""


class Watch:
    """Keeps the latest revisions of all jobs that somebody waits for."""

    def __init__(self, database: Database, jobs: Jobs, signals: Signals) -> None:
        self._database = database
        self._jobs = jobs
        self._signals = signals
        self._watched: Counter[str] = Counter()
        self._seen: dict[str, Seen] = {}
        self._changed = asyncio.Condition()
        self._closing = False

    async def until_changed(self, job: Job, *, seconds: float) -> Job:
        """The job once its revision differs from `job`'s, or as it is when the time is up."""
        if job.status.is_final:
            return job
        async with self._watching(job.id):
            await self._wait(job.id, lambda seen: seen[0] > job.revision, seconds=seconds)
        return await self._jobs.get(job.id)

    async def events(self, job_id: str, *, after: int) -> AsyncIterator[list[StoredEvent] | None]:
        """Events above `after` as they come, gapless; None every few quiet seconds.

        Ends after the last event of a job that has ended.
        """
        async with self._watching(job_id):
            while not self._closing:
                # The job is read first: whatever ended it is among the events read after it.
                job = await self._jobs.get(job_id)
                batch = await self._jobs.events(job_id, after=after, limit=EVENTS_AT_ONCE)
                if batch:
                    after = batch[-1].seq
                    yield batch
                    continue
                if job.status.is_final:
                    return
                while not await self._wait(job_id, _events_above(after), seconds=QUIET_SECONDS):
                    yield None

    async def run(self) -> None:
        """Look for changes until cancelled; while the database is away those who wait wait on."""
        with self._signals.listening(JOB_CHANGED) as woken:
            while True:
                with suppress(DatabaseUnavailable):
                    await self._look()
                woken.clear()
                with suppress(TimeoutError):
                    # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with a hint.
                    async with asyncio.timeout(LOOK_EVERY_SECONDS):
                        await woken.wait()

    async def close(self) -> None:
        """Let every waiting request answer now."""
        self._closing = True
        async with self._changed:
            self._changed.notify_all()

    async def _look(self) -> None:
        if not self._watched:
            return
        with as_service():
            async with self._database.read() as connection:
                seen = await jobs.revisions(connection, list(self._watched))
        if seen != self._seen:
            async with self._changed:
                self._seen = seen
                self._changed.notify_all()

    @asynccontextmanager
    async def _watching(self, job_id: str) -> AsyncGenerator[None]:
        self._watched[job_id] += 1
        try:
            yield
        finally:
            self._watched[job_id] -= 1
            if not self._watched[job_id]:
                del self._watched[job_id]

    async def _wait(self, job_id: str, is_news: Callable[[Seen], bool], *, seconds: float) -> bool:
        """Whether there were news of the job before the time was up."""

        def done() -> bool:
            return self._closing or (job_id in self._seen and is_news(self._seen[job_id]))

        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(done)
        except TimeoutError:
            return False
        return True


def _events_above(seq: int) -> Callable[[Seen], bool]:
    return lambda seen: seen[1] > seq
