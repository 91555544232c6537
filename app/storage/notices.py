"""Notices: what happened to models and aliases, for whoever wants to know, in one order for all.

The number is taken under the lock of one row, which is held until the commit: whoever has read up
to a number will never find a lower one appear behind it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.notices import Notice
from app.storage.base import Json, Row, database_now

_ONLY = 1
"""The key of the counter's one row, which its migration has written."""


class NoticeRow(Row):
    """The columns are the fields of `domain.notices.Notice`; `key` is given once only."""

    __tablename__ = "notices"

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
    return True


async def list_after(
    connection: AsyncConnection, after: int, *, type: str | None, limit: int
) -> Sequence[Notice]:
    """At most `limit` notices above a number, oldest first; `model.*` means all of that family."""
    query = select(*NoticeRow.__table__.c).where(NoticeRow.id > after).order_by(NoticeRow.id)
    if type is not None and type.endswith(".*"):
        query = query.where(NoticeRow.type.startswith(type[:-1], autoescape=True))
    elif type is not None:
        query = query.where(NoticeRow.type == type)
    found = await connection.execute(query.limit(limit))
    return [msgspec.convert(dict(row), Notice) for row in found.mappings()]


async def told_keys(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Which of the keys have been given."""
    found = await connection.execute(select(NoticeRow.key).where(NoticeRow.key.in_(keys)))
    return {key for key in found.scalars() if key is not None}


async def _is_told(connection: AsyncConnection, key: str) -> bool:
    return bool(await told_keys(connection, [key]))
