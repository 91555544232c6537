"""What was found at a provider and taken over: each thing once, and what could not be."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import BigInteger, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.imports import Kind
from app.storage.base import Row, database_now
from app.storage.tenancy import Owned, as_service, is_mine, mine


class ImportedRow(Owned, Row):
    """One thing at a provider, by the provider's id of it: only one project has it."""

    __tablename__ = "imports"

    provider: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str] = mapped_column(primary_key=True)
    local_id: Mapped[str | None]
    """What it is here; None for a file whose rows were refused."""

    problem: Mapped[bytes | None]
    imported_at: Mapped[int] = mapped_column(BigInteger)


class Imported(msgspec.Struct, frozen=True):
    """What a thing became here, or why it could not."""

    local_id: str | None
    problem: bytes | None = None
    is_elsewhere: bool = False
    """Whether another project has it."""


class AlreadyImported(Exception):  # the transaction is lost
    """Another import was faster."""


async def all_of(connection: AsyncConnection, provider: str, kind: Kind) -> Mapping[str, Imported]:
    """Everything of one kind by the provider's ids; of what another project has only that."""
    with as_service():
        found = await connection.execute(
            select(
                ImportedRow.remote_id,
                ImportedRow.local_id,
                ImportedRow.problem,
                ImportedRow.project_id,
            ).where(ImportedRow.provider == provider, ImportedRow.kind == kind, mine(ImportedRow))
        )
    return {
        remote_id: Imported(local_id, problem) if is_mine(project) else Imported(None, None, True)
        for remote_id, local_id, problem, project in found
    }


async def add(
    connection: AsyncConnection, provider: str, kind: Kind, remote_id: str, made: Imported
) -> None:
    """Remember what a thing became; raises `AlreadyImported` where it is known."""
    try:
        await connection.execute(
            insert(ImportedRow).values(
                provider=provider,
                kind=kind,
                remote_id=remote_id,
                local_id=made.local_id,
                problem=made.problem,
                imported_at=database_now(),
            )
        )
    except IntegrityError as error:
        raise AlreadyImported(remote_id) from error


async def forget(connection: AsyncConnection, provider: str, kind: Kind, remote_id: str) -> None:
    """Let a thing be imported anew, because what it became is gone."""
    await connection.execute(
        delete(ImportedRow).where(
            ImportedRow.provider == provider,
            ImportedRow.kind == kind,
            ImportedRow.remote_id == remote_id,
            mine(ImportedRow),
        )
    )
