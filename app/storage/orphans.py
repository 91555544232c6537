"""Paid work at a provider that carries one of our keys and that no job here knows."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.jobs import Millis
from app.storage.base import Row, database_now


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """One such piece of work."""

    provider: str
    remote_id: str
    key: str
    status: str | None
    first_seen_at: Millis
    last_seen_at: Millis


class OrphanRow(Row):
    """The columns are the fields of `Orphan`."""

    __tablename__ = "orphans"

    provider: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    status: Mapped[str | None]
    first_seen_at: Mapped[int] = mapped_column(BigInteger)
    last_seen_at: Mapped[int] = mapped_column(BigInteger)


async def see(
    connection: AsyncConnection, provider: str, *, remote_id: str, key: str, status: str | None
) -> bool:
    """Note that it was seen; True when it had not been seen before."""
    seen = await connection.execute(
        update(OrphanRow)
        .where(OrphanRow.provider == provider, OrphanRow.remote_id == remote_id)
        .values(status=status, last_seen_at=database_now())
        .returning(OrphanRow.remote_id)
    )
    if seen.scalar_one_or_none() is not None:
        return False
    first = insert(OrphanRow).values(
        provider=provider,
        remote_id=remote_id,
        key=key,
        status=status,
        first_seen_at=database_now(),
        last_seen_at=database_now(),
    )
    try:
        async with connection.begin_nested():
            await connection.execute(first)
    except IntegrityError:
        # Another replica's sweep saw it at the same moment, and tells of it.
        return False
    return True


async def forget(connection: AsyncConnection, provider: str, remote_id: str) -> None:
    """It has a job now."""
    await connection.execute(
        delete(OrphanRow).where(OrphanRow.provider == provider, OrphanRow.remote_id == remote_id)
    )


async def list_all(connection: AsyncConnection, provider: str) -> Sequence[Orphan]:
    """All of one provider, the latest found first."""
    found = await connection.execute(
        select(*OrphanRow.__table__.c)
        .where(OrphanRow.provider == provider)
        .order_by(OrphanRow.first_seen_at.desc(), OrphanRow.remote_id)
    )
    return [msgspec.convert(dict(row), Orphan) for row in found.mappings()]
