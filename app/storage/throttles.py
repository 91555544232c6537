"""Connections that have to wait: one budget for all replicas that speak with the same account."""

from contextlib import suppress
from typing import Any

from sqlalchemy import BigInteger, CursorResult, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.base import Row, database_now


class ThrottleRow(Row):
    """Until when a provider wants to hear nothing of us, by the database's clock."""

    __tablename__ = "throttles"

    provider: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[int] = mapped_column(BigInteger)


async def hold_back(connection: AsyncConnection, provider: str, *, seconds: float) -> None:
    """Let every replica leave the provider alone for so long; the last word counts."""
    until = database_now() + int(seconds * 1000)
    held: CursorResult[Any] = await connection.execute(
        update(ThrottleRow).where(ThrottleRow.provider == provider).values(until=until)
    )
    if held.rowcount:
        return
    # Whoever was told the same at this very moment, and was faster, has said all there is to say.
    with suppress(IntegrityError):
        async with connection.begin_nested():
            await connection.execute(insert(ThrottleRow).values(provider=provider, until=until))


# Asked before every tick: building the statement would cost more than running it.
_IS_HELD_BACK = select(ThrottleRow.provider).where(
    ThrottleRow.provider == bindparam("of"), ThrottleRow.until > database_now()
)


async def is_held_back(connection: AsyncConnection, provider: str) -> bool:
    """Whether the provider must not be asked now."""
    found = await connection.execute(_IS_HELD_BACK, {"of": provider})
    return found.scalar_one_or_none() is not None
