"""Jobs and their events."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    RowMapping,
    String,
    bindparam,
    case,
    cast,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.jobs import (
    AT_PROVIDER,
    FINAL,
    Event,
    Job,
    JobFilter,
    JobStatus,
    JobVersion,
    StoredEvent,
)
from app.domain.webhook_deliveries import Told
from app.storage import leases, webhook_deliveries
from app.storage.base import Json, Row, database_now, is_one_of
from app.storage.tenancy import Charged, Lookup, mine, stamp, tenant
from app.telemetry.traces import traceparent

# Each chore claims its own jobs (`storage.queues`), by an index of its own: a long queue of one is
# no detour for the others. Together the four cover every open job once, but for the blocked ones,
# which wait for a retry or cancel. Those that had an accident are looked for first, among the few
# that there are. Index and query have the words alike, or the index is not used.
_UNSUBMITTED = "status IN ('queued', 'submitting')"
AS_DESIRED = (
    "(desired = 'run' AND status IN ('running', 'cancelling')"
    " OR desired = 'pause' AND status IN ('paused', 'cancelling'))"
)
CREATION = f"{_UNSUBMITTED} AND intent_at IS NULL AND desired <> 'cancel'"
LOOK_UP = (
    f"({_UNSUBMITTED} AND (intent_at IS NOT NULL OR desired = 'cancel')"
    " OR status = 'blocked' AND desired = 'cancel')"
)
STEERING = f"status IN ('running', 'pausing', 'paused', 'cancelling') AND NOT {AS_DESIRED}"
HAD_ACCIDENT = "accidents > 0"


def _index(name: str, predicate: str, *columns: str) -> Index:
    where = text(predicate)
    return Index(name, *columns, postgresql_where=where, sqlite_where=where)


class JobRow(leases.Counted, Charged, Row):
    """A job; the columns are the fields of `domain.jobs.Job`, and the lease."""

    __tablename__ = "jobs"
    __table_args__ = (
        _index("ix_jobs_to_create", CREATION, "provider", "project_id", "next_at"),
        _index("ix_jobs_to_look_up", LOOK_UP, "provider", "next_at"),
        _index("ix_jobs_to_steer", STEERING, "provider", "next_at"),
        _index("ix_jobs_to_observe", AS_DESIRED, "provider", "next_at"),
        _index("ix_jobs_had_accident", HAD_ACCIDENT, "provider", "next_at"),
        Index("ix_jobs_project_id_id", "project_id", "id"),
        Index("ix_jobs_status_id", "status", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    provider: Mapped[str]
    base_model: Mapped[str]
    parent_model_id: Mapped[str | None]
    dataset: Mapped[Any | None] = mapped_column(Json)
    dataset_id: Mapped[str | None] = mapped_column(index=True)
    validation_dataset: Mapped[Any | None] = mapped_column(Json)
    validation_split: Mapped[float | None]
    files: Mapped[Any | None] = mapped_column(Json)
    method: Mapped[Any] = mapped_column(Json)
    seed: Mapped[int] = mapped_column(BigInteger)
    tags: Mapped[Any] = mapped_column(Json)
    evaluate: Mapped[Any | None] = mapped_column(Json)
    sent: Mapped[Any | None] = mapped_column(Json)
    promote: Mapped[str | None]
    migration: Mapped[Any | None] = mapped_column(Json)
    cost: Mapped[Any | None] = mapped_column(Json)
    traceparent: Mapped[str | None]

    status: Mapped[str]
    desired: Mapped[str]
    status_detail: Mapped[str | None]
    unreachable_since: Mapped[int | None] = mapped_column(BigInteger)
    progress: Mapped[Any | None] = mapped_column(Json)
    metrics: Mapped[Any] = mapped_column(Json)
    remote: Mapped[Any | None] = mapped_column(Json)
    error: Mapped[Any | None] = mapped_column(Json)
    tuned_model_id: Mapped[str | None]

    attempt: Mapped[int]
    attempts: Mapped[Any] = mapped_column(Json)
    intent_at: Mapped[int | None] = mapped_column(BigInteger)
    cursor: Mapped[str | None]
    failures: Mapped[int]
    woken_epoch: Mapped[int | None]
    """The last epoch in which news came; while its lease is held they came behind a look's back."""

    revision: Mapped[int]
    event_count: Mapped[int]
    observed_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


class EventRow(Row):
    """One event of a job, numbered without gaps under the job's row lock."""

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    data: Mapped[Any] = mapped_column(Json)
    at: Mapped[int] = mapped_column(BigInteger)


_IS_AT_PROVIDER = JobRow.status.in_(sorted(AT_PROVIDER))


# Built once: SQLAlchemy takes longer to put a statement together than the database to run it.
_ADD = insert(JobRow).values(next_at=database_now())
_ADD_EVENT = insert(EventRow).values(at=database_now())


async def add(connection: AsyncConnection, job: Job, event: Event) -> None:
    """Store a new job, due at once, with its first event."""
    values = columns(msgspec.structs.asdict(job))
    values |= {"dataset_id": job.dataset.id if job.dataset else None, "lease_owner": None}
    await connection.execute(_ADD, values | stamp() | {"traceparent": traceparent()})
    kept = msgspec.structs.replace(job, project_id=tenant().project_id)
    await add_events(connection, [Happened(kept, 1, [event])])


_FIND = Lookup(JobRow, select(*JobRow.__table__.c).where(is_one_of(JobRow.id, "ids")))


async def find(connection: AsyncConnection, job_id: str) -> Job | None:
    """The job of that id."""
    return (await find_many(connection, [job_id])).get(job_id)


async def find_many(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Job]:
    """The jobs of those ids that exist."""
    found = await connection.execute(*_FIND.now(ids=ids))
    return {row["id"]: job_of(row) for row in found.mappings()}


async def list_page(
    connection: AsyncConnection, wanted: JobFilter, *, before: str | None, limit: int
) -> list[Job]:
    """At most `limit` jobs, newest first, older than the job id `before`."""
    query = select(*JobRow.__table__.c).where(mine(JobRow))
    query = query.order_by(JobRow.id.desc()).limit(limit)
    if wanted.status is not None:
        query = query.where(JobRow.status == wanted.status)
    if wanted.provider is not None:
        query = query.where(JobRow.provider == wanted.provider)
    if wanted.created_after is not None:
        query = query.where(JobRow.created_at > wanted.created_after)
    if wanted.tags is not None:
        query = query.where(*_has_tags(wanted.tags))
    if before is not None:
        query = query.where(JobRow.id < before)
    return [job_of(row) for row in (await connection.execute(query)).mappings()]


_VERSIONS = Lookup(
    JobRow,
    select(JobRow.id, JobRow.revision, JobRow.event_count, JobRow.status).where(
        is_one_of(JobRow.id, "ids")
    ),
)


async def versions(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, JobVersion]:
    """How far each job has come, of those that exist."""
    found = await connection.execute(*_VERSIONS.now(ids=ids))
    return {
        id_: JobVersion(revision, count, JobStatus(status))
        for id_, revision, count, status in found
    }


async def make_due(connection: AsyncConnection, job_id: str) -> None:
    """Let the next tick look at the job, unless somebody holds it just now."""
    await connection.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.lease_owner.is_(None), mine(JobRow))
        .values(next_at=database_now())
    )


async def make_due_at(connection: AsyncConnection, provider: str, remote_id: str) -> None:
    """Let the next tick look at the job with that id at its provider, if there is one.

    Whoever is looking at it just now may have been answered before: it is due again afterwards.
    """
    is_free = JobRow.lease_owner.is_(None)
    await connection.execute(
        update(JobRow)
        .where(
            JobRow.provider == provider,
            _IS_AT_PROVIDER,
            JobRow.remote["id"].as_string() == remote_id,
            mine(JobRow),
        )
        .values(
            next_at=case((is_free, database_now()), else_=JobRow.next_at),
            woken_epoch=JobRow.epoch,
        )
    )


async def change(
    connection: AsyncConnection, job_id: str, values: Mapping[str, Any], event: Event
) -> Job:
    """Record what a user wants; whoever holds the lease keeps it and sees the wish afterwards."""
    done = await connection.execute(
        update(JobRow)
        .where(JobRow.id == job_id, mine(JobRow))
        .values(
            **columns(values),
            revision=JobRow.revision + 1,
            event_count=JobRow.event_count + 1,
        )
        .returning(*JobRow.__table__.c)
    )
    job = job_of(done.mappings().one())
    await add_events(connection, [Happened(job, job.event_count, [event])])
    if not job.status.is_final:
        await make_due(connection, job_id)
    return job


async def lock(connection: AsyncConnection, job_id: str) -> Job | None:
    """The job, held against other writers until the transaction ends."""
    found = await connection.execute(
        select(*JobRow.__table__.c).where(JobRow.id == job_id, mine(JobRow)).with_for_update()
    )
    row = found.mappings().one_or_none()
    return None if row is None else job_of(row)


class Happened(NamedTuple):
    """Events of one job, as it stands after them, and the number of the first."""

    job: Job
    first: int
    events: Sequence[Event]


async def add_events(connection: AsyncConnection, happened: Sequence[Happened]) -> None:
    """Store what happened to jobs that are locked, and tell their projects' webhooks."""
    rows = [
        {"job_id": one.job.id, "seq": seq, "type": event.type, "data": event.data}
        for one in happened
        for seq, event in enumerate(one.events, start=one.first)
    ]
    if not rows:
        return
    await connection.execute(_ADD_EVENT, rows)
    told: dict[str, list[Told]] = {}
    for job, _, events in happened:
        about = [Told(event.type, job.id, job.status, event.data) for event in events]
        told.setdefault(job.project_id, []).extend(about)
    for project_id, messages in told.items():
        await webhook_deliveries.tell(connection, messages, project_id=project_id)


def columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the JSON columns take them."""
    return {name: msgspec.to_builtins(value) for name, value in values.items()}


async def events_after(
    connection: AsyncConnection, job_id: str, after: int, limit: int
) -> list[StoredEvent]:
    """Events with a number above `after`, oldest first."""
    found = await connection.execute(
        select(*EventRow.__table__.c)
        .where(EventRow.job_id == job_id, EventRow.seq > after)
        .order_by(EventRow.seq)
        .limit(limit)
    )
    return [msgspec.convert(dict(row), StoredEvent) for row in found.mappings()]


_LATEST_EVENTS = Lookup(
    JobRow,
    select(*EventRow.__table__.c)
    .join(JobRow, EventRow.job_id == JobRow.id)
    .where(is_one_of(JobRow.id, "ids"), EventRow.seq > JobRow.event_count - bindparam("most"))
    .order_by(EventRow.job_id, EventRow.seq),
)


async def latest_events(
    connection: AsyncConnection, ids: Sequence[str], *, most: int
) -> dict[str, list[StoredEvent]]:
    """At most so many events of each job, the last ones, oldest first."""
    events: dict[str, list[StoredEvent]] = {}
    found = await connection.execute(*_LATEST_EVENTS.now(ids=ids, most=most))
    for row in found.mappings():
        events.setdefault(row["job_id"], []).append(msgspec.convert(dict(row), StoredEvent))
    return events


async def uses_dataset(connection: AsyncConnection, dataset_id: str) -> str | None:
    """An unfinished job that needs the dataset, if there is one."""
    needs = or_(
        JobRow.dataset_id == dataset_id,
        JobRow.validation_dataset["id"].as_string() == dataset_id,
        JobRow.evaluate["dataset_id"].as_string() == dataset_id,
    )
    found = await connection.execute(
        select(JobRow.id).where(JobRow.status.not_in(sorted(FINAL)), needs, mine(JobRow)).limit(1)
    )
    return found.scalar_one_or_none()


async def uses_model(connection: AsyncConnection, model_id: str) -> str | None:
    """An unfinished job that continues from the tuned model or replaces it, if there is one."""
    needs = or_(
        JobRow.parent_model_id == model_id,
        JobRow.migration["replaced"]["model_id"].as_string() == model_id,
    )
    found = await connection.execute(
        select(JobRow.id).where(JobRow.status.not_in(sorted(FINAL)), needs, mine(JobRow)).limit(1)
    )
    return found.scalar_one_or_none()


def _has_tags(tags: Mapping[str, str]) -> list[ColumnElement[bool]]:
    if not tags:
        return [cast(JobRow.tags, String) == "{}"]
    return [JobRow.tags[key].as_string() == value for key, value in tags.items()]


def job_of(row: RowMapping) -> Job:
    """The job that a whole row holds."""
    # A job of before costs were kept has none.
    return msgspec.convert(dict(row) | {"cost": row["cost"] or {}}, Job)
