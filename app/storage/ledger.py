"""The ledger's lines; amounts are kept as whole millionths of a dollar, so that sums are exact."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    RowMapping,
    and_,
    case,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.jobs import FINAL, JobStatus
from app.domain.ledger import Entry, Group, Period, StoredEntry
from app.storage.base import Json, Row
from app.storage.ids import new_id
from app.storage.jobs import JobRow
from app.storage.money import micros, usd
from app.storage.tenancy import Charged, mine


class LedgerRow(Charged, Row):
    """The columns are the fields of `domain.ledger.StoredEntry`."""

    __tablename__ = "ledger"
    __table_args__ = (
        Index("ix_ledger_at_id", "at", "id"),
        Index("ix_ledger_project_id_id", "project_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    at: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    provider: Mapped[str | None]
    base_model: Mapped[str | None]
    job_id: Mapped[str | None]
    model_id: Mapped[str | None]
    evaluation_id: Mapped[str | None]
    tags: Mapped[Any] = mapped_column(Json)
    quoted: Mapped[int | None] = mapped_column(BigInteger)
    actual: Mapped[int | None] = mapped_column(BigInteger)


async def put(connection: AsyncConnection, entry: Entry) -> None:
    """Write a line, or what is known by now of one that is there; its quote stays."""
    actual = micros(entry.actual_usd)
    known = await connection.execute(
        update(LedgerRow)
        .where(LedgerRow.key == entry.key, mine(LedgerRow))
        .values(actual=actual, model_id=entry.model_id)
        .returning(LedgerRow.id)
    )
    if known.scalar_one_or_none() is not None:
        return
    values = msgspec.to_builtins(entry)
    del values["quoted_usd"], values["actual_usd"]
    values |= {"quoted": micros(entry.quoted_usd), "actual": actual, "id": new_id("led")}
    await connection.execute(insert(LedgerRow).values(**values))


async def is_there(connection: AsyncConnection, key: str) -> bool:
    """Whether there is a line of that key."""
    found = await connection.execute(
        select(LedgerRow.id).where(LedgerRow.key == key, mine(LedgerRow))
    )
    return found.scalar_one_or_none() is not None


async def list_page(
    connection: AsyncConnection, period: Period, *, before: str | None, limit: int
) -> Sequence[StoredEntry]:
    """At most `limit` lines, the latest written first, older than the id `before`."""
    query = select(*LedgerRow.__table__.c).where(*_within(period)).order_by(LedgerRow.id.desc())
    if before is not None:
        query = query.where(LedgerRow.id < before)
    return [_entry(row) for row in (await connection.execute(query.limit(limit))).mappings()]


async def sums(
    connection: AsyncConnection, period: Period, *, by: str, after: int, limit: int
) -> Sequence[Group]:
    """The `after`-th and following groups of a column, or of `tag:<key>`, by name."""
    group = _group(by)
    found = await connection.execute(
        select(
            group.label("group"),
            func.count().label("entries"),
            func.sum(LedgerRow.quoted).label("quoted"),
            func.sum(LedgerRow.actual).label("actual"),
            func.sum(LedgerRow.actual - LedgerRow.quoted).label("variance"),
        )
        .where(*_within(period))
        .group_by(group)
        .order_by(group.is_(None), group)
        .offset(after)
        .limit(limit)
    )
    return [
        Group(
            group=row.group,
            entries=row.entries,
            quoted_usd=usd(row.quoted),
            actual_usd=usd(row.actual),
            variance_usd=usd(row.variance),
        )
        for row in found
    ]


async def committed(connection: AsyncConnection, *, key_id: str | None) -> Decimal:
    """What was spent and promised in the project, or only on the account of one of its keys.

    A training under way counts with its quote, beside what earlier attempts have cost; one that
    succeeded and whose cost nobody knows does so too, and one that came to nothing not.
    """
    came_to_nothing = JobRow.status.in_([JobStatus.FAILED, JobStatus.CANCELLED])
    is_unknown = and_(LedgerRow.actual.is_(None), not_(func.coalesce(came_to_nothing, false())))
    is_promised = or_(JobRow.status.not_in(sorted(FINAL)), is_unknown)
    promised = case((is_promised, func.coalesce(LedgerRow.quoted, 0)), else_=0)
    query = (
        select(func.sum(func.coalesce(LedgerRow.actual, 0) + promised))
        .select_from(LedgerRow)
        .outerjoin(JobRow, and_(JobRow.id == LedgerRow.job_id, mine(JobRow)))
        .where(mine(LedgerRow))
    )
    if key_id is not None:
        query = query.where(LedgerRow.key_id == key_id)
    return usd((await connection.execute(query)).scalar_one() or 0) or Decimal(0)


def _group(by: str) -> ColumnElement[str | None]:
    columns: dict[str, Any] = {
        "provider": LedgerRow.provider,
        "base_model": LedgerRow.base_model,
    }
    if by in columns:
        return columns[by]
    return LedgerRow.tags[by.removeprefix("tag:")].as_string()


def _within(period: Period) -> list[ColumnElement[bool]]:
    ends: list[ColumnElement[bool]] = [mine(LedgerRow)]
    if period.start is not None:
        ends.append(LedgerRow.at >= period.start)
    if period.end is not None:
        ends.append(LedgerRow.at < period.end)
    return ends


def _entry(row: RowMapping) -> StoredEntry:
    amounts = {"quoted_usd": usd(row["quoted"]), "actual_usd": usd(row["actual"])}
    return msgspec.convert(dict(row) | amounts, StoredEntry)
