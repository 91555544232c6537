"""Comparisons: what is trained side by side, and the table at the end."""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Index, RowMapping, and_, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.comparisons import Comparison, ComparisonStatus
from app.domain.errors import ComparisonNotFound
from app.storage import leases
from app.storage.base import Json, Row, database_now
from app.storage.tenancy import Charged, mine, stamp

_OPEN = "status NOT IN ('succeeded', 'failed', 'cancelled')"


class ComparisonRow(leases.Counted, Charged, Row):
    """A comparison; the columns are the fields of `domain.comparisons.Comparison`."""

    __tablename__ = "comparisons"
    __table_args__ = (
        Index("ix_comparisons_project_id_id", "project_id", "id"),
        Index(
            "ix_comparisons_due", "next_at", postgresql_where=text(_OPEN), sqlite_where=text(_OPEN)
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    tags: Mapped[Any] = mapped_column(Json)
    dataset: Mapped[Any] = mapped_column(Json)
    held_out: Mapped[Any] = mapped_column(Json)
    metrics: Mapped[Any] = mapped_column(Json)
    method: Mapped[Any] = mapped_column(Json)
    include_bases: Mapped[bool]
    budget_usd: Mapped[str | None]
    contenders: Mapped[Any] = mapped_column(Json)
    evaluation_id: Mapped[str | None]
    standings: Mapped[Any] = mapped_column(Json)
    status: Mapped[str]
    error: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, comparison: Comparison) -> None:
    """Store a new comparison, due at once."""
    values = msgspec.to_builtins(comparison) | stamp()
    await connection.execute(
        insert(ComparisonRow).values(**values, next_at=database_now(), lease_owner=None)
    )


async def get(connection: AsyncConnection, comparison_id: str, *, lock: bool = False) -> Comparison:
    """The comparison of that id; raises `ComparisonNotFound`.

    With `lock` it is held against other writers until the transaction ends.
    """
    query = select(*ComparisonRow.__table__.c).where(
        ComparisonRow.id == comparison_id, mine(ComparisonRow)
    )
    found = await connection.execute(query.with_for_update() if lock else query)
    row = found.mappings().one_or_none()
    if row is None:
        raise ComparisonNotFound(f"There is no comparison {comparison_id!r}.")
    return _comparison(row)


async def list_page(
    connection: AsyncConnection, *, before: str | None, limit: int
) -> list[Comparison]:
    """At most `limit` comparisons, newest first, older than the id `before`."""
    query = select(*ComparisonRow.__table__.c).where(mine(ComparisonRow))
    query = query.order_by(ComparisonRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ComparisonRow.id < before)
    return [_comparison(row) for row in (await connection.execute(query)).mappings()]


_IS_OPEN = and_(text(_OPEN))


async def is_any_due(connection: AsyncConnection) -> bool:
    """Whether a claim would find something."""
    return await leases.is_any_due(connection, ComparisonRow, where=_IS_OPEN)


async def claim(connection: AsyncConnection, *, owner: str, limit: int) -> list[Comparison]:
    """Take due comparisons."""
    rows = await leases.claim(connection, ComparisonRow, where=_IS_OPEN, owner=owner, limit=limit)
    return [_comparison(row) for row in rows]


async def apply(
    connection: AsyncConnection,
    comparison: Comparison,
    *,
    look_again_in: float | None,
    **changes: Any,
) -> bool:
    """Write changes if the lease is still ours, and give the lease back."""
    values = {name: msgspec.to_builtins(value) for name, value in changes.items()}
    values |= {"next_at": leases.in_seconds(look_again_in), "lease_owner": None, "accidents": 0}
    if look_again_in is None:
        values["finished_at"] = database_now()
    return await leases.write_fenced(
        connection, ComparisonRow, id=comparison.id, epoch=comparison.epoch, values=values
    )


async def cancel(connection: AsyncConnection, comparison: Comparison) -> None:
    """End it now; whoever works on it writes nothing more."""
    await connection.execute(
        update(ComparisonRow)
        .where(ComparisonRow.id == comparison.id, mine(ComparisonRow))
        .values(
            status=ComparisonStatus.CANCELLED,
            finished_at=database_now(),
            next_at=None,
            lease_owner=None,
            epoch=ComparisonRow.epoch + 1,
        )
    )


async def uses_dataset(connection: AsyncConnection, dataset_id: str) -> str | None:
    """An unfinished comparison that will ask about the dataset, if there is one."""
    found = await connection.execute(
        select(ComparisonRow.id)
        .where(
            text(_OPEN),
            ComparisonRow.held_out["id"].as_string() == dataset_id,
            mine(ComparisonRow),
        )
        .limit(1)
    )
    return found.scalar_one_or_none()


def _comparison(row: RowMapping) -> Comparison:
    return msgspec.convert(dict(row), Comparison)
