"""Accidents: a job whose handling breaks, or kills its worker, costs itself and no other.

Every claim counts as an accident until something was written. A job that had one is claimed and
handled while no other such job is, so that its worker's next death is not laid at a neighbour's
door; after some in a row it is parked until a person asks for a retry.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement
from structlog.contextvars import bound_contextvars

from app.domain.decide import after_accidents, backoff_seconds
from app.domain.errors import DatabaseUnavailable
from app.domain.jobs import Job
from app.reconciler import work
from app.reconciler.work import Claimed, Workshop
from app.storage import queues, tenancy
from app.telemetry import counts, traces

MOST = 3
"""Accidents in a row after which a job is parked."""

TURN_SECONDS = 1.0
"""How long suspects of one provider are taken one after another, or waited for in a tick."""

Handle = Callable[[Claimed], Awaitable[None]]
Claim = Callable[[int], Awaitable[Sequence[Claimed]]]


async def handle_due(
    shop: Workshop,
    provider: str,
    awaiting: ColumnElement[bool],
    handle: Handle,
    *,
    claim: Claim | None = None,
    limit: int = work.BATCH,
) -> int:
    """Claim due jobs and handle them, each on its own; how many.

    Nothing that breaks reaches another one. `claim` takes at most so many that had no accident.
    """
    if limit < 1:
        return 0
    spared = (limit + 1) // 2 if await work.is_suspect_due(shop, provider, awaiting) else 0
    claim = claim or (lambda limit: work.claim(shop, provider, awaiting, limit=limit))
    claimed = await claim(limit - spared)
    most = limit - len(claimed) if spared else 0
    suspects, _ = await asyncio.gather(
        _one_by_one(shop, provider, awaiting, handle, most=most),
        asyncio.gather(*(_guarded(shop, one, handle) for one in claimed)),
    )
    return len(claimed) + suspects


async def wait(shop: Workshop, claimed: Claimed, *, seconds: float) -> None:
    """Give a job back as it was claimed: waiting neither is an accident nor heals one."""
    before = claimed.job.accidents - 1
    async with shop.database.write() as connection:
        await queues.put_off(connection, claimed.job, seconds=seconds, accidents=before)


async def _one_by_one(
    shop: Workshop, provider: str, awaiting: ColumnElement[bool], handle: Handle, *, most: int
) -> int:
    """Jobs that had an accident, for a while; how many.

    The lock goes from hand to hand, so that a provider that hangs leaves a turn to the others.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + TURN_SECONDS
    for count in range(most):
        seconds = until - loop.time()
        if seconds <= 0 or not await _got(shop.suspects, seconds):
            return count
        try:
            suspect = await work.claim_suspect(shop, provider, awaiting)
            if suspect is None:
                return count
            await _guarded(shop, suspect, handle)
        except DatabaseUnavailable as error:
            # Whatever goes on beside is not to be left alone for that.
            work.log.warning("database_unavailable", problem=error.detail)
            return count
        finally:
            shop.suspects.release()
    return most


async def _got(lock: asyncio.Lock, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await lock.acquire()
    except TimeoutError:
        return False


async def _guarded(shop: Workshop, claimed: Claimed, handle: Handle) -> None:
    with _named(claimed.job):
        await _handle(shop, claimed, handle)


@contextmanager
def _named(job: Job) -> Generator[None]:
    """Let every line of the log, and a span of the job's trace, say what the work is about."""
    ids = {
        "job": job.id,
        "attempt": job.attempt,
        "provider": job.provider,
        "project": job.project_id,
    }
    about = {f"luthier.{name}": value for name, value in ids.items()}
    with (
        bound_contextvars(**ids),
        traces.span("work_on_job", parent=job.traceparent, attributes=about),
    ):
        yield


async def _handle(shop: Workshop, claimed: Claimed, handle: Handle) -> None:
    try:
        if claimed.job.accidents > MOST:
            await _park(shop, claimed, "its worker died each time, or was too slow")
        else:
            with tenancy.working_for(tenancy.account_of(claimed.job)):
                await handle(claimed)
    except DatabaseUnavailable as error:
        # No fault of the job; the next claim finds out whether the database is back.
        work.log.warning("database_unavailable", problem=error.detail)
    except Exception as error:  # noqa: BLE001 - whatever breaks, the others are not to suffer
        work.broke("job", claimed.job.id)
        await _recover(shop, claimed, work.problem_of(error))


async def _recover(shop: Workshop, claimed: Claimed, problem: str) -> None:
    job = claimed.job
    try:
        if job.accidents >= MOST:
            await _park(shop, claimed, problem)
            return
        seconds = backoff_seconds(job.accidents, shop.chance)
        async with shop.database.write() as connection:
            await queues.put_off(connection, job, seconds=seconds, accidents=job.accidents)
    except Exception:  # noqa: BLE001 - its lease ends, and the next claim counts
        work.log.exception("job_not_put_off")


async def _park(shop: Workshop, claimed: Claimed, problem: str) -> None:
    work.log.error("job_parked", problem=problem)
    if await work.write(shop, claimed, after_accidents(claimed.job, problem, times=MOST)):
        counts.JOBS_PARKED.labels(claimed.job.provider).inc()
