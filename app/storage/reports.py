"""Reports on datasets: one row for each version, born and removed with it."""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, ForeignKey, Index, and_, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.datasets import Dataset
from app.domain.errors import DatasetNotFound
from app.domain.reporting.findings import Report
from app.domain.reporting.progress import DatasetReport
from app.storage import leases
from app.storage.base import Json, Row, database_now

_OPEN = "status NOT IN ('ready', 'failed')"


class ReportRow(leases.Leased, Row):
    """A report; the columns are the fields of `domain.reporting.progress.DatasetReport`."""

    __tablename__ = "reports"
    __table_args__ = (
        Index("ix_reports_due", "next_at", postgresql_where=text(_OPEN), sqlite_where=text(_OPEN)),
    )

    id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    status: Mapped[str]
    examined: Mapped[int]
    result: Mapped[Any | None] = mapped_column(Json)
    error: Mapped[Any | None] = mapped_column(Json)
    failures: Mapped[int]
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, dataset: Dataset) -> None:
    """Ask for a new version's report, due at once; in the transaction that stores the version."""
    report = DatasetReport(id=dataset.id, created_at=dataset.created_at)
    await connection.execute(
        insert(ReportRow).values(
            **msgspec.to_builtins(report), next_at=database_now(), lease_owner=None
        )
    )


async def get(connection: AsyncConnection, dataset_id: str) -> DatasetReport:
    """The report of a dataset version; raises `DatasetNotFound`."""
    found = await connection.execute(
        select(*ReportRow.__table__.c).where(ReportRow.id == dataset_id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise DatasetNotFound(f"Dataset {dataset_id!r} was just removed.")
    return msgspec.convert(dict(row), DatasetReport)


_IS_OPEN = and_(text(_OPEN))


async def is_any_due(connection: AsyncConnection) -> bool:
    """Whether a claim would find something."""
    return await leases.is_any_due(connection, ReportRow, where=_IS_OPEN)


async def claim(connection: AsyncConnection, *, owner: str, limit: int) -> list[DatasetReport]:
    """Take reports that are due."""
    rows = await leases.claim(connection, ReportRow, where=_IS_OPEN, owner=owner, limit=limit)
    return [msgspec.convert(dict(row), DatasetReport) for row in rows]


async def note_progress(connection: AsyncConnection, report: DatasetReport, so_far: Report) -> bool:
    """Tell what was found so far, and hold the lease; False when it was lost."""
    values = {
        "status": "running",
        "examined": so_far.examples,
        "result": msgspec.to_builtins(so_far),
        "next_at": leases.in_seconds(leases.LEASE_SECONDS),
    }
    return await leases.write_fenced(
        connection, ReportRow, id=report.id, epoch=report.epoch, values=values
    )


async def apply(
    connection: AsyncConnection,
    report: DatasetReport,
    *,
    look_again_in: float | None,
    ended: bool,
    **changes: Any,
) -> bool:
    """Write what came of it if the lease is still ours, and give the lease back."""
    values = {name: msgspec.to_builtins(value) for name, value in changes.items()}
    values |= {"next_at": leases.in_seconds(look_again_in), "lease_owner": None}
    if ended:
        values["finished_at"] = database_now()
    return await leases.write_fenced(
        connection, ReportRow, id=report.id, epoch=report.epoch, values=values
    )
