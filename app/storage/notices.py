"""Notices: what happened to models, aliases and webhooks, in one order for all who want to know.

The number is taken under the lock of one row, which is held until the commit: whoever has read up
to a number will never find a lower one appear behind it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Index, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.notices import Notice
from app.domain.webhook_deliveries import Told
from app.storage import webhook_deliveries
from app.storage.base import Json, Row, database_now
from app.storage.tenancy import Owned, as_service, mine, tenant

_ONLY = 1
"""The key of the counter's one row, which its migration has written."""


class NoticeRow(Owned, Row):
    """The columns are the fields of `domain.notices.Notice`; `key` is given once only."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_project_id_id", "project_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str | None] = mapped_column(unique=True)
    type: Mapped[str]
    subject: Mapped[str]
    data: Mapped[Any] = mapped_column(Json)
    at: Mapped[int] = mapped_column(BigInteger)


class NoticeCounterRow(Row):
    """The number that the latest notice got."""

    __tablename__ = "notice_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


async def add(
    connection: AsyncConnection,
    type: str,
    subject: str,
    data: Mapping[str, Any],
    *,
    key: str | None = None,
) -> bool:
    """Store a notice in this transaction; False where one with the key is there already."""
    taken = await connection.execute(
        update(NoticeCounterRow)
        .where(NoticeCounterRow.id == _ONLY)
        .values(last=NoticeCounterRow.last + 1)
        .returning(NoticeCounterRow.last)
    )
    number = taken.scalar_one()
    if key is not None and await _is_told(connection, key):
        return False
    await connection.execute(
        insert(NoticeRow).values(
            id=number, key=key, type=type, subject=subject, data=dict(data), at=database_now()
        )
    )
    told = Told(type, subject, details=dict(data))
    await webhook_deliveries.tell(connection, [told], project_id=tenant().project_id)
    return True


async def list_after(
    connection: AsyncConnection, after: int, *, type: str | None, limit: int
) -> Sequence[Notice]:
    """At most `limit` notices above a number, oldest first; `model.*` means all of that family."""
    query = select(*NoticeRow.__table__.c).where(NoticeRow.id > after, mine(NoticeRow))
    query = query.order_by(NoticeRow.id)
    if type is not None and type.endswith(".*"):
        query = query.where(NoticeRow.type.startswith(type[:-1], autoescape=True))
    elif type is not None:
        query = query.where(NoticeRow.type == type)
    found = await connection.execute(query.limit(limit))
    return [msgspec.convert(dict(row), Notice) for row in found.mappings()]


async def told_keys(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Which of the keys have been given."""
    found = await connection.execute(
        select(NoticeRow.key).where(NoticeRow.key.in_(keys), mine(NoticeRow))
    )
    return {key for key in found.scalars() if key is not None}


async def _is_told(connection: AsyncConnection, key: str) -> bool:
    # A key is given once among all projects.
    with as_service():
        return bool(await told_keys(connection, [key]))
