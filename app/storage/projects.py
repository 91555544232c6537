"""Projects: what every object belongs to."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from sqlalchemy import BigInteger, RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.access import Project
from app.domain.errors import ProjectNotFound
from app.storage.base import Row
from app.storage.money import micros, usd


class ProjectRow(Row):
    """The columns are the fields of `domain.access.Project`; the limit in millionths."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(primary_key=True)
    spend_limit: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, project: Project) -> None:
    """Store a new project; IntegrityError where one has the id."""
    await connection.execute(
        insert(ProjectRow).values(
            id=project.id,
            spend_limit=micros(project.spend_limit_usd),
            created_at=project.created_at,
        )
    )


async def get(connection: AsyncConnection, project_id: str) -> Project:
    """The project of that id; raises `ProjectNotFound`."""
    found = await connection.execute(
        select(*ProjectRow.__table__.c).where(ProjectRow.id == project_id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise ProjectNotFound(f"There is no project {project_id!r}.")
    return _project(row)


async def hold(connection: AsyncConnection, project_id: str) -> None:
    """Let nobody else hold the project until the transaction ends."""
    await connection.execute(
        select(ProjectRow.id).where(ProjectRow.id == project_id).with_for_update()
    )


async def set_limit(connection: AsyncConnection, project_id: str, limit: Decimal | None) -> None:
    """Let the project spend so much in all."""
    await connection.execute(
        update(ProjectRow).where(ProjectRow.id == project_id).values(spend_limit=micros(limit))
    )


async def list_page(
    connection: AsyncConnection, *, only: str | None, after: str | None, limit: int
) -> Sequence[Project]:
    """At most `limit` projects by id, those that follow the id `after`; or that `only` one."""
    query = select(*ProjectRow.__table__.c).order_by(ProjectRow.id).limit(limit)
    if only is not None:
        query = query.where(ProjectRow.id == only)
    if after is not None:
        query = query.where(ProjectRow.id > after)
    return [_project(row) for row in (await connection.execute(query)).mappings()]


def _project(row: RowMapping) -> Project:
    return msgspec.convert(dict(row) | {"spend_limit_usd": usd(row["spend_limit"])}, Project)
