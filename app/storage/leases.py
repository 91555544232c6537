"""Leases: who works on a row, until when, and how a stale hand is refused.

One column decides: `next_at` is due time, back-off, timer and lease expiry. A claim moves it to
the lease's end and raises `epoch`; every later write names that epoch, and a write that meets
another one changes nothing.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    CursorResult,
    Executable,
    Integer,
    RowMapping,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.base import database_now

LEASE_SECONDS = 30.0
"""How long a claim holds, and so how long a crash delays a row; whoever works longer renews."""

RENEW_SECONDS = 10.0


class Leased:
    """The columns of a row that somebody works on from time to time."""

    next_at: Mapped[int | None] = mapped_column(BigInteger)
    lease_owner: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(default=0)


class Counted(Leased):
    """A leased row whose claims are counted until something is written."""

    accidents: Mapped[int] = mapped_column(server_default="0")


async def claim(
    connection: AsyncConnection,
    row: type[Any],
    *,
    where: ColumnElement[bool],
    owner: str,
    limit: int,
    **parameters: Any,
) -> Sequence[RowMapping]:
    """Take at most `limit` due rows, the longest due first; nobody else gets them meanwhile.

    Each row carries the database's time of the claim as `claimed_at`. The statement is built once
    for each `where`, which names by `bindparam` what `parameters` give.
    """
    given = {"lease_owner": owner, "at_most": limit, **parameters}
    taken = await connection.execute(_claiming(row, where), given)
    return taken.mappings().all()


@lru_cache(maxsize=64)
def _claiming(row: type[Any], where: ColumnElement[bool]) -> Executable:
    now = database_now()
    is_free = and_(where, is_due(row))
    due = (
        select(row.id)
        .where(is_free)
        .order_by(row.next_at)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    values: dict[str, Any] = {
        "lease_owner": bindparam("lease_owner"),
        "epoch": row.epoch + 1,
        "next_at": now + int(LEASE_SECONDS * 1000),
        **_counted(row),
    }
    return (
        update(row)
        .where(row.id.in_(select(due.c.id)), is_free)
        .values(values)
        .returning(*row.__table__.c, now.label("claimed_at"))
    )


async def is_any_due(
    connection: AsyncConnection, row: type[Any], *, where: ColumnElement[bool], **parameters: Any
) -> bool:
    """Whether a claim would find something: a glance that needs no writer's place."""
    return bool((await connection.execute(_glance(row, where), parameters)).scalar_one())


@lru_cache(maxsize=64)
def _glance(row: type[Any], where: ColumnElement[bool]) -> Executable:
    return select(exists().where(where, is_due(row)).select_from(row))


def is_due(row: type[Any]) -> ColumnElement[bool]:
    """The criterion of the rows whose time has come.

    As a query of its own the clock is read once: PostgreSQL can look a value up in an index, but
    no function that may answer differently for every row.
    """
    return row.next_at <= select(database_now()).scalar_subquery()


def _counted(row: type[Any]) -> dict[str, Any]:
    return {"accidents": row.accidents + 1} if issubclass(row, Counted) else {}


def _uncounted(row: type[Any]) -> dict[str, Any]:
    if not issubclass(row, Counted):
        return {}
    return {"accidents": case((row.accidents > 0, row.accidents - 1), else_=0)}


async def release_all(connection: AsyncConnection, row: type[Any]) -> None:
    """Make every leased row due: for a process that knows that no other one is working."""
    await connection.execute(
        update(row)
        .where(row.lease_owner.is_not(None), row.next_at.is_not(None))
        .values(lease_owner=None, next_at=database_now())
    )


async def give_back(connection: AsyncConnection, row: type[Any], *, owner: str) -> None:
    """Make due what `owner` still holds and does not work on any more; no accident, that."""
    await connection.execute(
        update(row)
        .where(row.lease_owner == owner, row.next_at.is_not(None))
        .values(lease_owner=None, next_at=database_now(), **_uncounted(row))
    )


async def renew(connection: AsyncConnection, row: type[Any], *, id: str, epoch: int) -> bool:
    """Hold the lease for another full time; False when it is somebody else's by now."""
    return await write_fenced(
        connection, row, id=id, epoch=epoch, values={"next_at": in_seconds(LEASE_SECONDS)}
    )


async def write_fenced(
    connection: AsyncConnection, row: type[Any], *, id: str, epoch: int, values: Mapping[str, Any]
) -> bool:
    """Write only if the lease is still ours; False means: stop, and drop the result."""
    done: CursorResult[Any] = await connection.execute(
        update(row).where(row.id == id, row.epoch == epoch).values(**values)
    )
    return done.rowcount == 1


def held(row: type[Any], *columns: Any) -> Select[*tuple[Any, ...]]:
    """Id and some columns of the rows whose lease is still ours, and is until the transaction ends.

    Its parameter `leases` is a mapping from id to epoch.
    """
    ours = func.json_each(bindparam("leases", type_=JSON())).table_valued(
        "key", "value", name="leases"
    )
    epoch = cast(cast(ours.c.value, String), Integer)
    return (
        select(row.id, *columns)
        .join_from(ours, row, row.id == ours.c.key)
        .where(row.epoch == epoch)
        .with_for_update(of=row, key_share=True)
    )


def in_seconds(seconds: float | None) -> Any:
    """The database's now plus some seconds, as a value for `next_at`; None stays None."""
    return None if seconds is None else database_now() + millis(seconds)


def millis(seconds: float) -> int:
    """Rounded up: due a moment early is looked at for nothing, again and again until then."""
    return math.ceil(seconds * 1000)
