"""Decisions on jobs: written where the lease is still ours, and as many at once as there are."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Executable, RowMapping, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.decide import Decision
from app.domain.jobs import Job, JobStatus
from app.storage import job_series, jobs, leases
from app.storage.base import database_now
from app.storage.jobs import Happened, JobRow

Decided = tuple[Job, Decision]


async def apply(
    connection: AsyncConnection, job: Job, decision: Decision, *, keep_lease: bool = False
) -> bool:
    """Write a decision if the lease is still ours; False means that another hand was faster.

    A wish or news that came while the provider was being asked make the job due at once.
    """
    return bool(await _write(connection, [(job, decision)], holding=_HELD, keep_lease=keep_lease))


async def apply_all(connection: AsyncConnection, decided: Sequence[Decided]) -> set[str]:
    """As `apply`, for different jobs; the ids of those that were written.

    Nobody is waited for: a job that somebody else is writing just now is left out like a lost one.
    """
    return await _write(connection, decided, holding=_HELD_AND_FREE, keep_lease=False)


# Whose lease is still ours is found out, and kept so, before anything is written.
_HELD = leases.held(JobRow, JobRow.status, JobRow.desired, JobRow.event_count, JobRow.woken_epoch)
_HELD_AND_FREE = _HELD.with_for_update(of=JobRow, key_share=True, skip_locked=True)

# The columns that change are named by the parameters.
_KEEP_LEASE = (
    update(JobRow)
    .where(JobRow.id == bindparam("of"))
    .values(
        revision=JobRow.revision + bindparam("seen"),
        event_count=JobRow.event_count + bindparam("told"),
        next_at=database_now() + bindparam("millis", type_=BigInteger),
    )
)
_GIVE_BACK = _KEEP_LEASE.values(lease_owner=None, accidents=0)


async def _write(
    connection: AsyncConnection,
    decided: Sequence[Decided],
    *,
    holding: Executable,
    keep_lease: bool,
) -> set[str]:
    leased = {job.id: job.epoch for job, _ in decided}
    found = await connection.execute(holding, {"leases": leased})
    ours = {row["id"]: row for row in found.mappings()}
    kept = [(job, decision) for job, decision in decided if job.id in ours]
    changes = [_changes(ours[job.id], job, said, keep_lease=keep_lease) for job, said in kept]
    for _, alike in groupby(sorted(changes, key=sorted), key=sorted):
        await connection.execute(_KEEP_LEASE if keep_lease else _GIVE_BACK, list(alike))
    await jobs.add_events(connection, [_happened(ours[job.id], job, said) for job, said in kept])
    seen = [(job, said.observation) for job, said in kept if said.observation is not None]
    await job_series.add(connection, seen)
    return set(ours)


def _changes(row: RowMapping, job: Job, decision: Decision, *, keep_lease: bool) -> dict[str, Any]:
    seconds = leases.LEASE_SECONDS if keep_lease else decision.look_again_in
    status = JobStatus(decision.changes.get("status", row["status"]))
    is_wished = decision.changes.get("desired", row["desired"]) != job.desired
    is_woken = row["woken_epoch"] == job.epoch and seconds is not None
    if (is_wished or is_woken) and not status.is_final and not keep_lease:
        seconds = 0.0
    return jobs.columns(decision.changes) | {
        "of": job.id,
        "seen": int(decision.is_visible),
        "told": len(decision.events),
        "millis": None if seconds is None else leases.millis(seconds),
    }


def _happened(row: RowMapping, job: Job, decision: Decision) -> Happened:
    status = JobStatus(decision.changes.get("status", row["status"]))
    now = msgspec.structs.replace(job, status=status)
    return Happened(now, row["event_count"] + 1, decision.events)
