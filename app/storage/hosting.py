"""Which tuned models are deployed, or are to be."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Index, RowMapping, and_, bindparam, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.hosting import Hosting, HostingChange
from app.domain.jobs import Millis
from app.storage import leases, ledger, notices
from app.storage.base import Json, Row, database_now
from app.storage.tenancy import Charged, mine, stamp

_OPEN = "state <> 'removed'"


class HostingRow(leases.Leased, Charged, Row):
    """The columns are the fields of `domain.hosting.Hosting`, and the lease."""

    __tablename__ = "hosting"
    __table_args__ = (
        Index(
            "ix_hosting_due",
            "provider",
            "next_at",
            postgresql_where=text(_OPEN),
            sqlite_where=text(_OPEN),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    base_model: Mapped[str]
    artifact: Mapped[str]
    job_id: Mapped[str | None]
    tags: Mapped[Any] = mapped_column(Json)
    desired: Mapped[str]
    wished_at: Mapped[int] = mapped_column(BigInteger)
    tier: Mapped[str | None]
    ttl_hours: Mapped[float | None]
    idle_hours: Mapped[float | None]
    state: Mapped[str]
    detail: Mapped[str | None]
    name: Mapped[str | None]
    since: Mapped[int | None] = mapped_column(BigInteger)
    seen_at: Mapped[int | None] = mapped_column(BigInteger)
    ends_at: Mapped[int | None] = mapped_column(BigInteger)
    usd_per_hour: Mapped[str | None]
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int]


async def lock(connection: AsyncConnection, model_id: str) -> Hosting | None:
    """The model's hosting, held against other writers until the transaction ends."""
    found = await connection.execute(
        select(*HostingRow.__table__.c)
        .where(HostingRow.id == model_id, mine(HostingRow))
        .with_for_update()
    )
    row = found.mappings().one_or_none()
    return None if row is None else _hosting(row)


async def find_many(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Hosting]:
    """The hostings of those models that have or had one."""
    found = await connection.execute(
        select(*HostingRow.__table__.c).where(HostingRow.id.in_(ids), mine(HostingRow))
    )
    return {row["id"]: _hosting(row) for row in found.mappings()}


async def add(connection: AsyncConnection, hosting: Hosting) -> None:
    """Store a first wish, due at once; IntegrityError where another was faster."""
    values = msgspec.to_builtins(hosting) | stamp()
    await connection.execute(
        insert(HostingRow).values(**values, next_at=database_now(), lease_owner=None)
    )


async def wish(connection: AsyncConnection, hosting: Hosting) -> None:
    """Store another wish, due at once; whoever works on the one before has lost the lease."""
    values = msgspec.to_builtins(hosting)
    values |= {"epoch": HostingRow.epoch + 1, "next_at": database_now(), "lease_owner": None}
    await connection.execute(
        update(HostingRow).where(HostingRow.id == hosting.id, mine(HostingRow)).values(**values)
    )


_IS_OPEN = and_(HostingRow.provider == bindparam("of"), text(_OPEN))


async def is_any_due(connection: AsyncConnection, provider: str) -> bool:
    """Whether a claim would find something."""
    return await leases.is_any_due(connection, HostingRow, where=_IS_OPEN, of=provider)


async def claim(
    connection: AsyncConnection, *, provider: str, owner: str, limit: int
) -> list[tuple[Hosting, Millis]]:
    """Take due hostings of one provider, each with the database's time of the claim."""
    rows = await leases.claim(
        connection, HostingRow, where=_IS_OPEN, owner=owner, limit=limit, of=provider
    )
    return [(_hosting(row), row["claimed_at"]) for row in rows]


async def apply(connection: AsyncConnection, hosting: Hosting, change: HostingChange) -> bool:
    """Write a change with its cost and what is told of it, if the lease is still ours."""
    values: Mapping[str, Any] = msgspec.to_builtins(dict(change.changes))
    is_ours = await leases.write_fenced(
        connection,
        HostingRow,
        id=hosting.id,
        epoch=hosting.epoch,
        values={**values, "next_at": leases.in_seconds(change.look_again_in), "lease_owner": None},
    )
    if not is_ours:
        return False
    if change.cost is not None:
        await ledger.put(connection, change.cost)
    for type_, data in change.told:
        await notices.add(connection, type_, hosting.id, data)
    return True


async def note_used(connection: AsyncConnection, model_id: str) -> None:
    """Note that the model is asked now."""
    await connection.execute(
        update(HostingRow)
        .where(HostingRow.id == model_id, mine(HostingRow))
        .values(used_at=database_now())
    )


def _hosting(row: RowMapping) -> Hosting:
    return msgspec.convert(dict(row), Hosting)
