"""Idempotency keys: what a key created, kept in the same transaction as the thing itself."""

from typing import TypeVar

import msgspec
from sqlalchemy import BigInteger, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import IdempotencyKeyReused
from app.domain.idempotency import Idempotency
from app.storage.base import Row, database_now
from app.storage.tenancy import Owned, mine, owner

Answer = TypeVar("Answer", bound=msgspec.Struct)


class IdempotencyRow(Owned, Row):
    """The first answer that was given for a key of one operation in one project."""

    __tablename__ = "idempotency_keys"

    project_id: Mapped[str] = owner(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[bytes]
    created_at: Mapped[int] = mapped_column(BigInteger)


class KeyTaken(Exception):  # the transaction is lost; read the first answer in a new one
    """Somebody else stored an answer for the key first."""


async def find(
    connection: AsyncConnection, wanted: Idempotency | None, type_: type[Answer]
) -> Answer | None:
    """The first answer for the key; raises `IdempotencyKeyReused` where the body differs."""
    if wanted is None:
        return None
    found = await connection.execute(
        select(IdempotencyRow.fingerprint, IdempotencyRow.answer).where(
            IdempotencyRow.operation == wanted.operation,
            IdempotencyRow.key == wanted.key,
            mine(IdempotencyRow),
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    if row.fingerprint != wanted.fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came before with another body; use a new key for a new request."
        )
    return msgspec.json.decode(row.answer, type=type_)


async def keep(
    connection: AsyncConnection, wanted: Idempotency | None, answer: msgspec.Struct
) -> None:
    """Store the answer beside what it speaks of; raises `KeyTaken` when another was faster."""
    if wanted is None:
        return
    try:
        await connection.execute(
            insert(IdempotencyRow).values(
                **msgspec.structs.asdict(wanted),
                answer=msgspec.json.encode(answer),
                created_at=database_now(),
            )
        )
    except IntegrityError as error:
        raise KeyTaken from error
