"""Verdicts on datasets that were compiled: the same content need not be compiled twice."""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.compiling import Compilation
from app.storage.base import Json, Row, database_now


class CompilationRow(Row):
    """One verdict; it follows from the content and the compiler's fingerprint alone."""

    __tablename__ = "compilations"

    dataset_sha256: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[int] = mapped_column(BigInteger)


async def find(
    connection: AsyncConnection, *, dataset_sha256: str, fingerprint: str
) -> Compilation | None:
    """The verdict that was kept."""
    found = await connection.execute(
        select(CompilationRow.verdict).where(
            CompilationRow.dataset_sha256 == dataset_sha256,
            CompilationRow.fingerprint == fingerprint,
        )
    )
    verdict = found.scalar_one_or_none()
    return None if verdict is None else msgspec.convert(verdict, Compilation)


async def keep(connection: AsyncConnection, dataset_sha256: str, verdict: Compilation) -> None:
    """Keep a verdict; raises `IntegrityError` where somebody else was faster."""
    await connection.execute(
        insert(CompilationRow).values(
            dataset_sha256=dataset_sha256,
            fingerprint=verdict.fingerprint,
            verdict=msgspec.to_builtins(verdict),
            created_at=database_now(),
        )
    )
