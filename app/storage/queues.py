"""Which jobs each chore of the reconciler finds, and how it takes them."""

from functools import cache

from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.jobs import Job, Millis
from app.storage import leases
from app.storage.jobs import AS_DESIRED, CREATION, HAD_ACCIDENT, LOOK_UP, STEERING, JobRow, job_of

AWAITS_CREATION: ColumnElement[bool] = and_(text(CREATION))
AWAITS_LOOK_UP: ColumnElement[bool] = and_(text(LOOK_UP))
AWAITS_STEERING: ColumnElement[bool] = and_(text(STEERING))
AWAITS_OBSERVATION: ColumnElement[bool] = and_(text(AS_DESIRED))


async def claim(
    connection: AsyncConnection,
    *,
    provider: str,
    awaiting: ColumnElement[bool],
    owner: str,
    limit: int,
) -> list[tuple[Job, Millis]]:
    """Take due jobs of one provider for one chore, each with the database's time of the claim."""
    rows = await leases.claim(
        connection, JobRow, where=_open(awaiting), owner=owner, limit=limit, of=provider
    )
    return [(job_of(row), row["claimed_at"]) for row in rows]


_CHORES = (AWAITS_CREATION, AWAITS_LOOK_UP, AWAITS_STEERING, AWAITS_OBSERVATION)
_IS_ANY_DUE = select(
    or_(
        *(
            exists()
            .where(JobRow.provider == bindparam("of"), awaiting, leases.is_due(JobRow))
            .select_from(JobRow)
            for awaiting in _CHORES
        )
    )
)


async def is_any_due(connection: AsyncConnection, provider: str) -> bool:
    """Whether any chore would find a job of the provider to claim."""
    return bool((await connection.execute(_IS_ANY_DUE, {"of": provider})).scalar_one())


async def is_suspect_due(
    connection: AsyncConnection, provider: str, *, awaiting: ColumnElement[bool]
) -> bool:
    """Whether one of a chore's jobs is due that had an accident."""
    where = _open(suspect(awaiting))
    return await leases.is_any_due(connection, JobRow, where=where, of=provider)


_MAY_BE_CREATED = and_(JobRow.provider == bindparam("of"), AWAITS_CREATION, leases.is_due(JobRow))
_FIRST_WAITING = (
    select(JobRow.project_id).where(_MAY_BE_CREATED).order_by(JobRow.project_id).limit(1)
)


def _waiting_projects() -> Executable:
    """One step of an index from project to project, however many jobs each of them has."""
    known = select(_FIRST_WAITING.scalar_subquery().label("project_id")).cte(
        "waiting", recursive=True
    )
    after = _FIRST_WAITING.where(JobRow.project_id > known.c.project_id).scalar_subquery()
    waiting = known.union_all(select(after).where(known.c.project_id.is_not(None)))
    return select(waiting.c.project_id).where(waiting.c.project_id.is_not(None))


_WAITING_PROJECTS = _waiting_projects()


async def waiting_projects(connection: AsyncConnection, provider: str) -> list[str]:
    """The projects that have a due job to be created at the provider."""
    found = await connection.execute(_WAITING_PROJECTS, {"of": provider})
    return list(found.scalars())


async def claim_waiting(
    connection: AsyncConnection, *, provider: str, project: str, owner: str, limit: int
) -> list[tuple[Job, Millis]]:
    """As `claim`, of one project's jobs that are to be created and had no accident."""
    rows = await leases.claim(
        connection,
        JobRow,
        where=_WAITING_OF_PROJECT,
        owner=owner,
        limit=limit,
        of=provider,
        project=project,
    )
    return [(job_of(row), row["claimed_at"]) for row in rows]


@cache
def innocent(awaiting: ColumnElement[bool]) -> ColumnElement[bool]:
    """Those of a chore's jobs that had no accident."""
    return and_(awaiting, JobRow.accidents == 0)


@cache
def suspect(awaiting: ColumnElement[bool]) -> ColumnElement[bool]:
    """Those that had one."""
    return and_(awaiting, text(HAD_ACCIDENT))


_WAITING_OF_PROJECT = and_(
    JobRow.provider == bindparam("of"),
    JobRow.project_id == bindparam("project"),
    innocent(AWAITS_CREATION),
)


@cache
def _open(awaiting: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(JobRow.provider == bindparam("of"), awaiting)


async def put_off(connection: AsyncConnection, job: Job, *, seconds: float, accidents: int) -> bool:
    """Give the lease back with nothing done; False when it is somebody else's by now."""
    values = {"next_at": leases.in_seconds(seconds), "lease_owner": None, "accidents": accidents}
    return await leases.write_fenced(connection, JobRow, id=job.id, epoch=job.epoch, values=values)
