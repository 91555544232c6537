"""What all chores share: claim, let go of the database, ask the provider, write if still ours."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
import structlog
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.decide import Decision
from app.domain.errors import RateLimited, Steer
from app.domain.jobs import Job, Millis
from app.domain.provider import Provider
from app.reconciler.turns import Turns
from app.reconciler.writing import Writing
from app.storage import decisions, leases, queues, throttles
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.signals import JOB_CHANGED, Signals
from app.telemetry import counts, traces

log = structlog.get_logger()

BATCH = 50
"""Jobs of one provider that one tick takes at most."""


@dataclass(frozen=True)
class Workshop:
    """What every chore works with; `owner` names this process on the leases that it takes."""

    database: Database
    blobs: Blobs
    providers: Mapping[str, Provider]
    signals: Signals
    owner: str
    chance: random.Random = field(default_factory=random.Random)
    suspects: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held over a job that had accidents: its next one is not to be taken for another's."""
    turns: Turns = field(default_factory=Turns)

    @cached_property
    def writing(self) -> Writing:
        """Where decisions meet that are ready at the same time."""
        return Writing(self.database)


@dataclass
class Claimed:
    """A job under lease, as it stands after what was written of it."""

    job: Job
    claimed_at: Millis
    started: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @property
    def now(self) -> Millis:
        """The database's time of the claim plus what has passed here: skewed clocks do no harm."""
        passed = asyncio.get_running_loop().time() - self.started
        return self.claimed_at + int(passed * 1000)


async def is_held_back(shop: Workshop, provider: str) -> bool:
    """Whether some replica was told to leave the provider alone for now."""
    async with shop.database.read() as connection:
        return await throttles.is_held_back(connection, provider)


async def heed(shop: Workshop, provider: str, said: Steer) -> None:
    """Let all replicas leave the provider alone where it asked for that."""
    if isinstance(said, RateLimited):
        counts.RATE_LIMIT_HOLDS.labels(provider).inc(said.retry_after)
        async with shop.database.write() as connection:
            await throttles.hold_back(connection, provider, seconds=said.retry_after)


async def claim(
    shop: Workshop, provider: str, awaiting: ColumnElement[bool], *, limit: int = BATCH
) -> list[Claimed]:
    """Take due jobs that had no accident, in a transaction of its own."""
    if limit < 1:
        return []
    return await _take(shop, provider, queues.innocent(awaiting), limit)


async def claim_in_turn(shop: Workshop, provider: str, *, limit: int = BATCH) -> list[Claimed]:
    """As `claim`, jobs that are to be created, of all projects that have some, alike."""
    if limit < 1:
        return []
    async with shop.database.read() as connection:
        waiting = await queues.waiting_projects(connection, provider)
    if not waiting:
        return []
    taken: list[tuple[Job, Millis]] = []
    async with shop.database.write() as connection:
        for place, project in enumerate(shop.turns.order(provider, waiting)):
            # Rounded up, and what one project leaves is there for those after it.
            share = -(-(limit - len(taken)) // (len(waiting) - place))
            if not share:
                break
            taken += await queues.claim_waiting(
                connection, provider=provider, project=project, owner=shop.owner, limit=share
            )
            shop.turns.served(provider, project)
    return _counted(provider, taken)


async def is_suspect_due(shop: Workshop, provider: str, awaiting: ColumnElement[bool]) -> bool:
    """Whether `claim_suspect` would find one."""
    async with shop.database.read() as connection:
        return await queues.is_suspect_due(connection, provider, awaiting=awaiting)


async def claim_suspect(
    shop: Workshop, provider: str, awaiting: ColumnElement[bool]
) -> Claimed | None:
    """Take one due job that had an accident: more than are handled now are not to be blamed."""
    return next(iter(await _take(shop, provider, queues.suspect(awaiting), 1)), None)


async def _take(
    shop: Workshop, provider: str, awaiting: ColumnElement[bool], limit: int
) -> list[Claimed]:
    async with shop.database.write() as connection:
        taken = await queues.claim(
            connection, provider=provider, awaiting=awaiting, owner=shop.owner, limit=limit
        )
    return _counted(provider, taken)


def _counted(provider: str, taken: Sequence[tuple[Job, Millis]]) -> list[Claimed]:
    counts.JOBS_CLAIMED.labels(provider).inc(len(taken))
    reclaimed = sum(job.accidents > 1 for job, _ in taken)
    counts.JOBS_RECLAIMED.labels(provider).inc(reclaimed)
    return [Claimed(job, now) for job, now in taken]


async def write(
    shop: Workshop,
    claimed: Claimed,
    decision: Decision,
    *,
    keep_lease: bool = False,
    also: Callable[[AsyncConnection], Awaitable[None]] | None = None,
) -> bool:
    """Write a decision, and what `also` adds to it, if the job is still ours; else drop it.

    What only gives the lease back is written together with others of its kind.
    """
    if also is None and not keep_lease:
        is_ours = await shop.writing.write(claimed.job, decision)
    else:
        async with shop.database.write() as connection:
            is_ours = await decisions.apply(
                connection, claimed.job, decision, keep_lease=keep_lease
            )
            if is_ours and also is not None:
                await also(connection)
    if not is_ours:
        lost_lease("job", claimed.job.id, epoch=claimed.job.epoch)
        return False
    claimed.job = msgspec.structs.replace(claimed.job, **decision.changes)
    for event in decision.events:
        traces.note(event.type)
    if claimed.job.status.is_final:
        counts.JOBS_ENDED.labels(claimed.job.provider, claimed.job.status).inc()
    if decision.is_visible:
        shop.signals.send(JOB_CHANGED)
    return True


def lost_lease(kind: str, id: str, *, epoch: int) -> None:
    """Note that what was found out is dropped: another process has taken the thing over."""
    counts.LEASES_LOST.labels(kind).inc()
    log.warning("lease_lost", epoch=epoch, **{kind: id})


def problem_of(error: Exception) -> str:
    """What went wrong, short enough for an event and the log."""
    return f"{type(error).__name__}: {error}"[:300]


def broke(kind: str, id: str) -> None:
    """Note the exception that is being handled: work on one thing broke, and on no other."""
    counts.WORK_BROKEN.labels(kind).inc()
    log.exception(f"{kind}_broke", **{kind: id})


@asynccontextmanager
async def held(shop: Workshop, row: type[Any], id: str, epoch: int) -> AsyncGenerator[None]:
    """Renew the lease while the block works, so that slow work is not taken for a crash."""
    renewing = asyncio.create_task(_renew(shop, row, id, epoch))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def _renew(shop: Workshop, row: type[Any], id: str, epoch: int) -> None:
    while True:
        await asyncio.sleep(leases.RENEW_SECONDS)
        async with shop.database.write() as connection:
            if not await leases.renew(connection, row, id=id, epoch=epoch):
                return
