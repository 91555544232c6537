"""The audit: written and read, and never changed; there is no statement here that could."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Index, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.access import AuditEntry, AuditFilter
from app.storage.base import Row
from app.storage.tenancy import Owned, mine


class AuditRow(Owned, Row):
    """The columns are the fields of `domain.access.AuditEntry`."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_project_id_id", "project_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    caller: Mapped[str]
    key_id: Mapped[str | None]
    role: Mapped[str]
    operation: Mapped[str]
    object: Mapped[str | None] = mapped_column(index=True)
    status: Mapped[int]
    code: Mapped[str | None]
    request_id: Mapped[str]
    address: Mapped[str | None]


async def add(connection: AsyncConnection, entry: AuditEntry) -> None:
    """Write a line."""
    await connection.execute(insert(AuditRow).values(**msgspec.to_builtins(entry)))


async def list_page(
    connection: AsyncConnection, wanted: AuditFilter, *, before: str | None, limit: int
) -> Sequence[AuditEntry]:
    """At most `limit` lines, newest first, older than the id `before`."""
    query = select(*AuditRow.__table__.c).where(mine(AuditRow), *_matching(wanted))
    if before is not None:
        query = query.where(AuditRow.id < before)
    found = await connection.execute(query.order_by(AuditRow.id.desc()).limit(limit))
    return [msgspec.convert(dict(row), AuditEntry) for row in found.mappings()]


def _matching(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    criteria: list[ColumnElement[bool]] = []
    if wanted.object is not None:
        criteria.append(AuditRow.object == wanted.object)
    if wanted.operation is not None:
        criteria.append(AuditRow.operation == wanted.operation)
    if wanted.key_id is not None:
        criteria.append(AuditRow.key_id == wanted.key_id)
    if wanted.start is not None:
        criteria.append(AuditRow.at >= wanted.start)
    if wanted.end is not None:
        criteria.append(AuditRow.at < wanted.end)
    return criteria
