"""The sweep chore: compare what carries our keys at a provider with what is known here.

A look-up before each second try keeps submission single, as long as the provider lists what it
created within the time that its SPEC names. Where it took longer, two of one key can be alive:
the one that its job knows stays, the other is cancelled, and what it has cost until then gets a
line of the ledger. What no job here knows is kept as an orphan, because somebody pays for it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import DatabaseUnavailable, Steer
from app.domain.imports import Kind
from app.domain.jobs import Event, Job, job_of
from app.domain.ledger import surplus_key
from app.domain.provider import RemoteState, Submitted, Sweeping
from app.reconciler import cost, work
from app.reconciler.work import Workshop
from app.storage import imports, jobs, ledger, orphans
from app.storage.signals import JOB_CHANGED
from app.storage.tenancy import account_of, working_for
from app.telemetry.calls import vendor_call

BACK_SECONDS = 7 * 24 * 3600
"""How old what is looked at may be: no vendor trains longer."""

TIMEOUT_SECONDS = 60.0

_OVER = frozenset({RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.CANCELLED})


async def tick(shop: Workshop, name: str) -> int:
    """Look once at all that a provider has of ours; how much of it was too much."""
    provider = shop.providers[name]
    if not isinstance(provider, Sweeping) or provider.missing:
        return 0
    since = await shop.database.now() - BACK_SECONDS * 1000
    try:
        with vendor_call(name, "submitted"):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                found = await provider.submitted(since)
    except Steer as said:
        await work.heed(shop, name, said)
        return 0
    imported = await _imported(shop, name)
    found = [one for one in found if one.remote.id not in imported]
    known = await _known(shop, found)
    return sum([await _judge_alone(shop, name, one, known) for one in found])


async def _imported(shop: Workshop, name: str) -> Collection[str]:
    """What has a job of its own though its key names none: somebody imported it."""
    async with shop.database.read() as connection:
        return await imports.all_of(connection, name, Kind.JOBS)


async def _known(shop: Workshop, found: Sequence[Submitted]) -> dict[str, Job]:
    ids = {named[0] for one in found if (named := job_of(one.key)) is not None}
    async with shop.database.read() as connection:
        return await jobs.find_many(connection, sorted(ids))


async def _judge_alone(
    shop: Workshop, name: str, found: Submitted, known: Mapping[str, Job]
) -> int:
    try:
        return await _judge(shop, name, found, known)
    except Steer as said:
        await work.heed(shop, name, said)
    except DatabaseUnavailable:
        raise
    except Exception:  # noqa: BLE001 - whatever breaks, the others are looked at
        work.broke("surplus", found.remote.id)
    return 0


async def _judge(shop: Workshop, name: str, found: Submitted, known: Mapping[str, Job]) -> int:
    """Whether what was found is one too many; then it is cancelled."""
    named = job_of(found.key)
    job = None if named is None else known.get(named[0])
    if job is None:
        await _note(shop, name, found)
        return 0
    if found.remote.id in _remotes(job) or _may_adopt(job, found):
        return 0
    if found.state in _OVER:
        await _account_for(shop, name, job, found)
        return 0
    await _cancel(shop, name, job, found)
    return 1


async def _note(shop: Workshop, name: str, found: Submitted) -> bool:
    """Keep what was found; whether it is new."""
    async with shop.database.write() as connection:
        is_new = await _see(connection, name, found)
    if is_new:
        work.log.warning("orphan_found", provider=name, remote=found.remote.id, key=found.key)
    return is_new


async def _see(connection: AsyncConnection, name: str, found: Submitted) -> bool:
    return await orphans.see(
        connection,
        name,
        remote_id=found.remote.id,
        key=found.key,
        status=found.remote.status or found.state,
    )


async def _cancel(shop: Workshop, name: str, job: Job, found: Submitted) -> None:
    """Ask for its end; the next sweep asks again until it is over."""
    work.log.warning("surplus_found", job=job.id, remote=found.remote.id)
    if await _note(shop, name, found):
        async with shop.database.write() as connection:
            event = Event("job.surplus_cancelled", {"remote": found.remote.id})
            await jobs.change(connection, job.id, {}, event)
        shop.signals.send(JOB_CHANGED)
    with vendor_call(name, "cancel"):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await shop.providers[name].cancel(found.remote)


async def _account_for(shop: Workshop, name: str, job: Job, found: Submitted) -> None:
    """Write down once what it has cost; the provider bills it all the same."""
    async with shop.database.read() as connection:
        if await ledger.is_there(connection, surplus_key(name, found.remote.id)):
            return
    with vendor_call(name, "observe"):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            seen = await shop.providers[name].observe(found.remote, None)
    if seen.state not in _OVER:
        return
    entry = await cost.of_second_creation(shop, job, seen, await shop.database.now())
    with working_for(account_of(job)):
        async with shop.database.write() as connection:
            # In this order another replica's sweep waits, and then finds the line.
            await _see(connection, name, found)
            await ledger.put(connection, entry)
    paid = entry.actual_usd
    work.log.warning("surplus_paid", job=job.id, remote=found.remote.id, usd=paid and str(paid))


def _remotes(job: Job) -> set[str]:
    """Everything at the provider that the job knows of, in all its attempts."""
    return {attempt.remote.id for attempt in job.all_attempts if attempt.remote is not None}


def _may_adopt(job: Job, found: Submitted) -> bool:
    """Whether the job has still to look up what came of its own creation."""
    return job.submission_key == found.key and job.remote is None and not job.status.is_final
