"""Sums over the whole house, for its operator: one statement for each, none for each job."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import RowMapping, case, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.gauges import OpenJobs, Outbox, Readings, Spent
from app.domain.jobs import AT_PROVIDER, FINAL, JobStatus
from app.storage.base import database_now
from app.storage.jobs import JobRow
from app.storage.ledger import LedgerRow
from app.storage.money import usd
from app.storage.throttles import ThrottleRow
from app.storage.webhook_deliveries import PENDING, WebhookDeliveryRow


async def read(connection: AsyncConnection) -> Readings:
    """One look; the parts are as fresh as each other within milliseconds."""
    return Readings(
        jobs=await _open_jobs(connection),
        outbox=await _outbox(connection),
        spent=await _spent(connection),
        held_seconds=await _held(connection),
    )


# As a query of its own it is computed once, and not for every row.
_NOW = select(database_now()).scalar_subquery()
_IS_DUE = JobRow.next_at <= _NOW

_OPEN_JOBS = (
    select(
        JobRow.provider,
        JobRow.project_id,
        JobRow.status,
        func.count().label("jobs"),
        func.count(case((_IS_DUE, 1))).label("due"),
        func.min(JobRow.next_at).label("next_at"),
        func.count(JobRow.unreachable_since).label("unreachable"),
        func.min(func.coalesce(JobRow.observed_at, JobRow.started_at)).label("observed_at"),
        _NOW.label("now"),
    )
    # Named one by one, they are found by the index; "none of these" reads every job there ever was.
    .where(JobRow.status.in_(sorted(set(JobStatus) - FINAL)))
    .group_by(JobRow.provider, JobRow.project_id, JobRow.status)
)


async def _open_jobs(connection: AsyncConnection) -> Sequence[OpenJobs]:
    return [_of(row) for row in (await connection.execute(_OPEN_JOBS)).mappings()]


def _of(row: RowMapping) -> OpenJobs:
    status, now, seen = JobStatus(row["status"]), row["now"], row["observed_at"]
    is_observed = status in AT_PROVIDER and seen is not None
    return OpenJobs(
        provider=row["provider"],
        project_id=row["project_id"],
        status=status,
        count=row["jobs"],
        due=row["due"],
        overdue_seconds=(now - row["next_at"]) / 1000 if row["due"] else 0.0,
        unreachable=row["unreachable"],
        observed_seconds=(now - seen) / 1000 if is_observed else None,
    )


_OUTBOX = select(
    func.count().label("waiting"), (database_now() - func.min(WebhookDeliveryRow.at)).label("age")
).where(text(PENDING))


async def _outbox(connection: AsyncConnection) -> Outbox:
    row = (await connection.execute(_OUTBOX)).one()
    return Outbox(row.waiting, (row.age or 0) / 1000)


_SPENT = select(
    LedgerRow.provider,
    func.sum(LedgerRow.quoted).label("quoted"),
    func.sum(LedgerRow.actual).label("actual"),
).group_by(LedgerRow.provider)


async def _spent(connection: AsyncConnection) -> Sequence[Spent]:
    return [
        Spent(row.provider or "none", _sum(row.quoted), _sum(row.actual))
        for row in await connection.execute(_SPENT)
    ]


def _sum(micros: int | None) -> Decimal:
    return usd(micros) or Decimal(0)


_HELD = select(ThrottleRow.provider, (ThrottleRow.until - database_now()).label("left")).where(
    ThrottleRow.until > database_now()
)


async def _held(connection: AsyncConnection) -> Mapping[str, float]:
    return {row.provider: row.left / 1000 for row in await connection.execute(_HELD)}
