"""Keys by the prefix that names them; of their secrets only hashes are kept."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Index, RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.access import Key
from app.domain.errors import KeyNotFound
from app.storage.base import Row
from app.storage.money import micros, usd
from app.storage.tenancy import Owned, mine


class KeyRow(Owned, Row):
    """The columns are the fields of `domain.access.Key`; the limit in millionths."""

    __tablename__ = "keys"
    __table_args__ = (Index("ix_keys_project_id_id", "project_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str]
    old_hash: Mapped[str | None]
    old_until: Mapped[int | None] = mapped_column(BigInteger)
    spend_limit: Mapped[int | None] = mapped_column(BigInteger)
    rate_limit_per_minute: Mapped[int | None]
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str]
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, key: Key) -> None:
    """Store a new key of the project that is its own."""
    await connection.execute(insert(KeyRow).values(**_columns(msgspec.to_builtins(key))))


async def find_prefix(connection: AsyncConnection, prefix: str) -> Key | None:
    """The key of that prefix."""
    found = await connection.execute(
        select(*KeyRow.__table__.c).where(KeyRow.prefix == prefix, mine(KeyRow))
    )
    row = found.mappings().one_or_none()
    return None if row is None else _key(row)


async def get(connection: AsyncConnection, key_id: str, *, lock: bool = False) -> Key:
    """The key of that id, held against other writers if wanted; raises `KeyNotFound`."""
    query = select(*KeyRow.__table__.c).where(KeyRow.id == key_id, mine(KeyRow))
    found = await connection.execute(query.with_for_update() if lock else query)
    row = found.mappings().one_or_none()
    if row is None:
        raise KeyNotFound(f"There is no key {key_id!r}.")
    return _key(row)


async def list_page(connection: AsyncConnection, *, before: str | None, limit: int) -> list[Key]:
    """At most `limit` keys, newest first, older than the key id `before`."""
    query = select(*KeyRow.__table__.c).where(mine(KeyRow)).order_by(KeyRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(KeyRow.id < before)
    return [_key(row) for row in (await connection.execute(query)).mappings()]


async def change(connection: AsyncConnection, key: Key, **changes: Any) -> Key:
    """Write changes of a key that is locked."""
    changed = msgspec.structs.replace(key, **changes)
    values = _columns({name: msgspec.to_builtins(value) for name, value in changes.items()})
    await connection.execute(
        update(KeyRow).where(KeyRow.id == key.id, mine(KeyRow)).values(**values)
    )
    return changed


async def note_used(connection: AsyncConnection, key_id: str, at: int) -> None:
    """Note that the key opened the door."""
    await connection.execute(
        update(KeyRow).where(KeyRow.id == key_id, mine(KeyRow)).values(last_used_at=at)
    )


def _key(row: RowMapping) -> Key:
    return msgspec.convert(dict(row) | {"spend_limit_usd": usd(row["spend_limit"])}, Key)


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    columns = dict(values)
    if "spend_limit_usd" in columns:
        limit = columns.pop("spend_limit_usd")
        columns["spend_limit"] = micros(limit if limit is None else Decimal(limit))
    return columns
