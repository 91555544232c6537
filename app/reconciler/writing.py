"""Decisions that are ready at the same time, written in one transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.decide import Decision
from app.domain.errors import DatabaseUnavailable
from app.domain.jobs import Job
from app.storage import decisions
from app.storage.database import Database
from app.storage.tenancy import as_service

AT_ONCE = 50
"""Decisions in one transaction."""


@dataclass(frozen=True)
class Entry:
    """A decision, and whether it was written once that is known."""

    job: Job
    decision: Decision
    written: asyncio.Future[bool]


class Writing:
    """Whoever comes while a transaction is under way is part of the next; alone nobody waits.

    Nobody suffers from company either: whatever is not written with the others is written alone,
    and only then it is known whether the lease was lost, or what is wrong with it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Entry] = []
        self._serving: asyncio.Task[None] | None = None

    async def write(self, job: Job, decision: Decision) -> bool:
        """Whether the lease was still ours; raises what writing it raised."""
        entry = Entry(job, decision, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        return await entry.written

    async def _serve(self) -> None:
        batch: Sequence[Entry] = ()
        try:
            # One transaction is about jobs of several projects, and makes nothing of its own.
            with as_service():
                while batch := self._next():
                    await self._write(batch)
        finally:
            self._serving = None
            for entry in (*batch, *self._waiting):
                entry.written.cancel()

    def _next(self) -> Sequence[Entry]:
        """Those who have waited longest and still do, each about another job."""
        waiting = [entry for entry in self._waiting if not entry.written.done()]
        batch: dict[str, Entry] = {}
        for entry in waiting:
            if len(batch) < AT_ONCE:
                batch.setdefault(entry.job.id, entry)
        self._waiting = [entry for entry in waiting if batch.get(entry.job.id) is not entry]
        return list(batch.values())

    async def _write(self, batch: Sequence[Entry]) -> None:
        try:
            written = await self._write_together(batch) if len(batch) > 1 else set[str]()
        except DatabaseUnavailable as error:
            for entry in batch:
                _fail(entry, error)
            return
        except Exception:  # noqa: BLE001 - which of them it was shows when each is alone
            written = set[str]()
        for entry in batch:
            if entry.job.id in written:
                _answer(entry, is_ours=True)
        rest = [entry for entry in batch if entry.job.id not in written]
        await asyncio.gather(*(self._write_alone(entry) for entry in rest))

    async def _write_together(self, batch: Sequence[Entry]) -> set[str]:
        async with self._database.write() as connection:
            decided = [(entry.job, entry.decision) for entry in batch]
            return await decisions.apply_all(connection, decided)

    async def _write_alone(self, entry: Entry) -> None:
        try:
            async with self._database.write() as connection:
                is_ours = await decisions.apply(connection, entry.job, entry.decision)
        except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
            _fail(entry, error)
        else:
            _answer(entry, is_ours=is_ours)


def _answer(entry: Entry, *, is_ours: bool) -> None:
    if not entry.written.done():
        entry.written.set_result(is_ours)


def _fail(entry: Entry, error: Exception) -> None:
    if not entry.written.done():
        entry.written.set_exception(error)
