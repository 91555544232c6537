"""What the vendors' own lists of models said when they were seen last, one row for a connection."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, RowMapping, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.offers import SeenModel, VendorList, renewed
from app.domain.provider import ListedModel
from app.storage import leases
from app.storage.base import Json, Row, database_now

EVERY_SECONDS = 24 * 3600.0
"""How old a list may become before it is asked for again."""

RETRY_SECONDS = 3600.0


class VendorListRow(leases.Leased, Row):
    """A connection's list, and the lease of whoever asks for the next one."""

    __tablename__ = "vendor_lists"

    id: Mapped[str] = mapped_column(primary_key=True)
    """The name of the connection."""

    models: Mapped[Any] = mapped_column(Json)
    seen_at: Mapped[int | None] = mapped_column(BigInteger)
    problem: Mapped[str | None]


class ListTaken(Exception):  # the transaction is lost
    """Somebody else asks for the first list of a connection at this moment."""


async def find(connection: AsyncConnection, provider: str) -> VendorList:
    """The list of a connection; an empty one where none was ever seen."""
    found = await connection.execute(_FIND, {"provider": provider})
    row = found.mappings().one_or_none()
    return VendorList() if row is None else _list_of(row)


async def find_all(connection: AsyncConnection) -> Mapping[str, VendorList]:
    """All lists by connection."""
    found = await connection.execute(select(VendorListRow.id, *_SHOWN))
    return {row["id"]: _list_of(row) for row in found.mappings()}


async def claim(connection: AsyncConnection, provider: str, *, owner: str) -> int | None:
    """The epoch to write under where the next list is due; None where it is not.

    Raises `ListTaken`.
    """
    due = await leases.claim(
        connection, VendorListRow, where=_OF_ONE, owner=owner, limit=1, provider=provider
    )
    if due:
        return due[0]["epoch"]
    is_known = select(VendorListRow.id).where(_OF_ONE)
    known = (await connection.execute(is_known, {"provider": provider})).first() is not None
    return None if known else await _add(connection, provider, owner)


async def take(connection: AsyncConnection, provider: str, *, owner: str) -> int:
    """The epoch to write under, due or not; what others are about to write is dropped.

    Raises `ListTaken`.
    """
    taken = await connection.execute(
        update(VendorListRow)
        .where(VendorListRow.id == provider)
        .values(
            epoch=VendorListRow.epoch + 1,
            lease_owner=owner,
            next_at=leases.in_seconds(leases.LEASE_SECONDS),
        )
        .returning(VendorListRow.epoch)
    )
    epoch = taken.scalar_one_or_none()
    return await _add(connection, provider, owner) if epoch is None else epoch


async def keep(
    connection: AsyncConnection, provider: str, models: Sequence[ListedModel], *, epoch: int
) -> None:
    """Keep the list that was seen just now, unless somebody else has asked since."""
    before = await find(connection, provider)
    values = {
        "models": msgspec.to_builtins(renewed(before.models, models)),
        "seen_at": database_now(),
        "problem": None,
    }
    await _let_go(connection, provider, values, epoch=epoch, seconds=EVERY_SECONDS)


async def note_problem(
    connection: AsyncConnection, provider: str, problem: str, *, epoch: int
) -> None:
    """Say why the list could not be seen; the one before stays."""
    await _let_go(connection, provider, {"problem": problem}, epoch=epoch, seconds=RETRY_SECONDS)


_SHOWN = (VendorListRow.models, VendorListRow.seen_at, VendorListRow.problem)
_OF_ONE = VendorListRow.id == bindparam("provider")

# Built once, as every question to a model asks it.
_FIND = select(*_SHOWN).where(_OF_ONE)


async def _add(connection: AsyncConnection, provider: str, owner: str) -> int:
    row = {"id": provider, "models": [], "lease_owner": owner, "epoch": 1}
    next_at = leases.in_seconds(leases.LEASE_SECONDS)
    try:
        await connection.execute(insert(VendorListRow).values(next_at=next_at, **row))
    except IntegrityError as error:
        raise ListTaken(provider) from error
    return 1


async def _let_go(
    connection: AsyncConnection,
    provider: str,
    values: Mapping[str, Any],
    *,
    epoch: int,
    seconds: float,
) -> None:
    rest = {"lease_owner": None, "next_at": leases.in_seconds(seconds)}
    await leases.write_fenced(
        connection, VendorListRow, id=provider, epoch=epoch, values={**values, **rest}
    )


def _list_of(row: RowMapping) -> VendorList:
    return VendorList(
        models=msgspec.convert(row["models"], list[SeenModel]),
        seen_at=row["seen_at"],
        problem=row["problem"],
    )
