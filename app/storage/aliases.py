"""Aliases and the decisions that moved them, or did not."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    RowMapping,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.aliases import Alias, AliasDecision, Change
from app.domain.errors import AliasNotFound
from app.storage import notices
from app.storage.base import Json, Row
from app.storage.tenancy import Lookup, Owned, mine


class AliasRow(Owned, Row):
    """The columns are the fields of `domain.aliases.Alias`."""

    __tablename__ = "aliases"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    target: Mapped[Any] = mapped_column(Json)
    model_id: Mapped[str | None] = mapped_column(index=True)
    gate: Mapped[Any | None] = mapped_column(Json)
    past: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[int] = mapped_column(BigInteger)


class AliasDecisionRow(Owned, Row):
    """One decision; it outlives its alias."""

    __tablename__ = "alias_decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    by: Mapped[str]
    from_model: Mapped[str | None]
    to_model: Mapped[str | None]
    reason: Mapped[str | None]
    evaluation_id: Mapped[str | None]
    verdict: Mapped[Any | None] = mapped_column(Json)
    at: Mapped[int] = mapped_column(BigInteger)


_FIND = Lookup(AliasRow, select(*AliasRow.__table__.c).where(AliasRow.name == bindparam("alias")))


async def find(connection: AsyncConnection, name: str, *, lock: bool = False) -> Alias | None:
    """The alias of that name; held against other writers until the transaction ends if `lock`."""
    query, given = _FIND.now(alias=name)
    found = await connection.execute(query.with_for_update() if lock else query, given)
    row = found.mappings().one_or_none()
    return None if row is None else _alias(row)


async def get(connection: AsyncConnection, name: str, *, lock: bool = False) -> Alias:
    """The alias of that name; raises `AliasNotFound`."""
    alias = await find(connection, name, lock=lock)
    if alias is None:
        raise AliasNotFound(f"There is no alias {name!r}.")
    return alias


async def list_page(
    connection: AsyncConnection, *, before: str | None, limit: int
) -> Sequence[Alias]:
    """At most `limit` aliases, newest first, older than the alias id `before`."""
    query = select(*AliasRow.__table__.c).where(mine(AliasRow))
    query = query.order_by(AliasRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AliasRow.id < before)
    return [_alias(row) for row in (await connection.execute(query)).mappings()]


async def add(connection: AsyncConnection, change: Change) -> None:
    """Store a new alias; IntegrityError where another made the name first."""
    await connection.execute(insert(AliasRow).values(**_columns(change.alias)))
    await record(connection, change.decision)


async def write(connection: AsyncConnection, change: Change) -> None:
    """Store what changed of an alias that is locked, and why."""
    alias = change.alias
    await connection.execute(
        update(AliasRow).where(AliasRow.id == alias.id, mine(AliasRow)).values(**_columns(alias))
    )
    await record(connection, change.decision)


async def remove(connection: AsyncConnection, alias: Alias, decision: AliasDecision) -> None:
    """Forget an alias that is locked; its history stays."""
    await connection.execute(delete(AliasRow).where(AliasRow.id == alias.id, mine(AliasRow)))
    await record(connection, decision)


async def record(connection: AsyncConnection, decision: AliasDecision) -> None:
    """Keep a decision, and tell it as a notice."""
    values = msgspec.to_builtins(decision)
    await connection.execute(insert(AliasDecisionRow).values(**values))
    told = {name: values[name] for name in ("by", "from_model", "to_model", "reason")}
    told["evaluation"] = decision.evaluation_id
    await notices.add(connection, f"alias.{decision.kind}", decision.alias, told)


async def history(connection: AsyncConnection, name: str, *, limit: int) -> list[AliasDecision]:
    """The latest decisions on a name, newest first."""
    found = await connection.execute(
        select(*AliasDecisionRow.__table__.c)
        .where(AliasDecisionRow.alias == name, mine(AliasDecisionRow))
        .order_by(AliasDecisionRow.id.desc())
        .limit(limit)
    )
    return [msgspec.convert(dict(row), AliasDecision) for row in found.mappings()]


async def on_model(
    connection: AsyncConnection, model_id: str, *, limit: int
) -> list[AliasDecision]:
    """The latest decisions to or from a model, newest first."""
    found = await connection.execute(
        select(*AliasDecisionRow.__table__.c)
        .where(
            or_(
                AliasDecisionRow.to_model == model_id,
                AliasDecisionRow.from_model == model_id,
            ),
            mine(AliasDecisionRow),
        )
        .order_by(AliasDecisionRow.id.desc())
        .limit(limit)
    )
    return [msgspec.convert(dict(row), AliasDecision) for row in found.mappings()]


async def is_decided(connection: AsyncConnection, name: str, *, by: str) -> bool:
    """Whether somebody's wish has been decided on before."""
    found = await connection.execute(
        select(AliasDecisionRow.id)
        .where(AliasDecisionRow.alias == name, AliasDecisionRow.by == by, mine(AliasDecisionRow))
        .limit(1)
    )
    return found.scalar_one_or_none() is not None


async def projects_using_base(connection: AsyncConnection, name: str) -> list[str]:
    """The projects in which an alias points to the base model."""
    found = await connection.execute(
        select(AliasRow.project_id)
        .where(AliasRow.target["name"].as_string() == name, mine(AliasRow))
        .distinct()
        .order_by(AliasRow.project_id)
    )
    return list(found.scalars())


async def uses_model(connection: AsyncConnection, model_id: str) -> str | None:
    """An alias that points to the tuned model, if there is one."""
    found = await connection.execute(
        select(AliasRow.name).where(AliasRow.model_id == model_id, mine(AliasRow)).limit(1)
    )
    return found.scalar_one_or_none()


def _alias(row: RowMapping) -> Alias:
    return msgspec.convert(dict(row), Alias)


def _columns(alias: Alias) -> dict[str, Any]:
    return msgspec.to_builtins(alias) | {"model_id": alias.target.model_id}
