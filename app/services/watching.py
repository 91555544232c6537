"""Waiting for a job to change: one look at the database for all who wait in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import DatabaseUnavailable
from app.domain.jobs import Job, JobVersion, StoredEvent
from app.services.jobs import Jobs
from app.storage import jobs
from app.storage.database import Database
from app.storage.signals import JOB_CHANGED, Signals
from app.storage.tenancy import as_service

LOOK_EVERY_SECONDS = 0.25
"""A thousand watchers cost one query each quarter of a second, whoever changed the job."""

REST = 2.0
"""How many times as long as a look nobody looks after it, however many hints there are."""

EVENTS_AT_ONCE = 200

NEWS_AT_ONCE = 20
"""New events of a job that are read for all who wait; who is further behind reads by itself."""

QUIET_SECONDS = 10.0
"""How long a stream may say nothing before its reader is told that it lives."""


class Watch:
    """Keeps the latest versions of all jobs that somebody waits for."""

    def __init__(self, database: Database, jobs: Jobs, signals: Signals) -> None:
        self._database = database
        self._jobs = jobs
        self._signals = signals
        self._posts: dict[str, _Post] = {}
        self._closing = False

    async def until_changed(self, job: Job, *, seconds: float) -> Job:
        """The job once its revision differs from `job`'s, or as it is when the time is up."""
        if job.status.is_final:
            return job
        with self._at_post(job) as post:
            await self._wait(post, lambda known: known.revision > job.revision, seconds=seconds)
        return await self._jobs.get(job.id)

    async def events(self, job_id: str, *, after: int) -> AsyncIterator[list[StoredEvent] | None]:
        """Events above `after` as they come, gapless; None every few quiet seconds.

        Ends after the last event of a job that has ended.
        """
        job = await self._jobs.get(job_id)
        known = job.version
        with self._at_post(job) as post:
            while not self._closing:
                # What is known comes first: whatever ended the job is among the events read then.
                if known.event_count > after:
                    batch = post.latest_above(after) or await self._read(job_id, after)
                    after = batch[-1].seq
                    yield batch
                elif known.status.is_final:
                    return
                elif not await self._wait(post, _goes_on(known, after), seconds=QUIET_SECONDS):
                    yield None
                known = max(known, post.known)

    async def run(self) -> None:
        """Look for changes until cancelled; while the database is away those who wait wait on."""
        with self._signals.listening(JOB_CHANGED) as woken:
            while True:
                woken.clear()
                await asyncio.sleep(REST * await self._timed_look())
                with suppress(TimeoutError):
                    # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with a hint.
                    async with asyncio.timeout(LOOK_EVERY_SECONDS):
                        await woken.wait()

    async def close(self) -> None:
        """Let every waiting request answer now."""
        self._closing = True
        for post in self._posts.values():
            post.wake()

    async def _timed_look(self) -> float:
        """Look, and tell how many seconds it took."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        with suppress(DatabaseUnavailable):
            await self._look()
        return clock() - begun

    async def _look(self) -> None:
        if not self._posts:
            return
        with as_service():
            async with self._database.read() as connection:
                found = await jobs.versions(connection, list(self._posts))
                told = self._told(found)
                events = await _latest(connection, told)
        for id in told:
            if post := self._posts.get(id):
                post.learn(found[id], events.get(id, ()))

    def _told(self, found: Mapping[str, JobVersion]) -> dict[str, int]:
        """The jobs that have gone on, each with the number of its new events."""
        return {
            id: version.event_count - post.known.event_count
            for id, version in found.items()
            if (post := self._posts.get(id)) and version > post.known
        }

    async def _read(self, job_id: str, after: int) -> list[StoredEvent]:
        return await self._jobs.events(job_id, after=after, limit=EVENTS_AT_ONCE)

    @contextmanager
    def _at_post(self, job: Job) -> Generator["_Post"]:
        post = self._posts.setdefault(job.id, _Post(job))
        post.watchers += 1
        try:
            yield post
        finally:
            post.watchers -= 1
            if not post.watchers:
                del self._posts[job.id]

    async def _wait(
        self, post: "_Post", is_news: Callable[[JobVersion], bool], *, seconds: float
    ) -> bool:
        """Whether there were news of the job before the time was up."""
        try:
            async with asyncio.timeout(seconds):
                while not (self._closing or is_news(post.known)):
                    await post.news.wait()
        except TimeoutError:
            return False
        return True


class _Post:
    """What is known of one job, for all who wait for it; none of them wakes those of another."""

    def __init__(self, job: Job) -> None:
        self.known = job.version
        self.news = asyncio.Event()
        self.watchers = 0
        self._latest: Sequence[StoredEvent] = ()

    def learn(self, version: JobVersion, latest: Sequence[StoredEvent]) -> None:
        """Take over a later version, with the events that lead to it where they were read."""
        if version > self.known:
            self.known, self._latest = version, latest
            self.wake()

    def wake(self) -> None:
        """Let all who wait look again; who begins to wait now waits for the next news."""
        self.news.set()
        self.news = asyncio.Event()

    def latest_above(self, after: int) -> list[StoredEvent]:
        """The events above `after`; nothing where the first of them is not at hand any more."""
        if not self._latest or self._latest[0].seq > after + 1:
            return []
        return [event for event in self._latest if event.seq > after]


def _goes_on(known: JobVersion, seq: int) -> Callable[[JobVersion], bool]:
    """Whether a later version has an event above `seq`, or ends without one."""
    return lambda now: now > known and (now.event_count > seq or now.status.is_final)


async def _latest(
    connection: AsyncConnection, told: Mapping[str, int]
) -> dict[str, list[StoredEvent]]:
    if not any(told.values()):
        return {}
    most = min(max(told.values()), NEWS_AT_ONCE)
    return await jobs.latest_events(connection, list(told), most=most)
