"""Accidents: a job whose handling breaks, or kills its worker, costs itself and no other.

Every claim counts as an accident until something was written. A job that had one is handled while
no other such job is, so that its worker's next death is not laid at a neighbour's door; after some
in a row it is parked until a person asks for a retry.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars

from app.domain.decide import after_accidents, backoff_seconds
from app.domain.errors import DatabaseUnavailable
from app.domain.jobs import Job
from app.reconciler import work
from app.reconciler.work import Claimed, Workshop
from app.storage import jobs, tenancy
from app.telemetry import counts, traces

MOST = 3
"""Accidents in a row after which a job is parked."""

TURN_SECONDS = 1.0
"""How soon a suspect is looked at again while another one is under way."""

Handle = Callable[[Claimed], Awaitable[None]]


async def handle_each(shop: Workshop, claimed: Sequence[Claimed], handle: Handle) -> None:
    """Handle claimed jobs, each on its own: nothing that breaks reaches another one."""
    suspects = [one for one in claimed if one.job.accidents > 1]
    innocent = [one for one in claimed if one.job.accidents <= 1]
    if not suspects:
        await _handle_all(shop, innocent, handle)
    elif shop.suspects.locked():
        await wait(shop, suspects, seconds=TURN_SECONDS)
        await _handle_all(shop, innocent, handle)
    else:
        async with shop.suspects:
            await wait(shop, suspects[1:], seconds=TURN_SECONDS)
            await _handle_all(shop, [suspects[0], *innocent], handle)


async def wait(shop: Workshop, claimed: Sequence[Claimed], *, seconds: float) -> None:
    """Give jobs back as they were claimed: waiting neither is an accident nor heals one."""
    if not claimed:
        return
    async with shop.database.write() as connection:
        for one in claimed:
            before = one.job.accidents - 1
            await jobs.put_off(connection, one.job, seconds=seconds, accidents=before)


async def _handle_all(shop: Workshop, claimed: Sequence[Claimed], handle: Handle) -> None:
    await asyncio.gather(*(_guarded(shop, one, handle) for one in claimed))


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
        await _recover(shop, claimed, f"{type(error).__name__}: {error}"[:300])


async def _recover(shop: Workshop, claimed: Claimed, problem: str) -> None:
    job = claimed.job
    try:
        if job.accidents >= MOST:
            await _park(shop, claimed, problem)
            return
        seconds = backoff_seconds(job.accidents, shop.chance)
        async with shop.database.write() as connection:
            await jobs.put_off(connection, job, seconds=seconds, accidents=job.accidents)
    except Exception:  # noqa: BLE001 - its lease ends, and the next claim counts
        work.log.exception("job_not_put_off")


async def _park(shop: Workshop, claimed: Claimed, problem: str) -> None:
    work.log.error("job_parked", problem=problem)
    if await work.write(shop, claimed, after_accidents(claimed.job, problem, times=MOST)):
        counts.JOBS_PARKED.labels(claimed.job.provider).inc()
