"""What a training tells step by step: metrics and checkpoints."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Executable, ForeignKey, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.jobs import Checkpoint, Job, MetricPoint
from app.domain.provider import Observation
from app.storage.base import Json, Row


class MetricRow(Row):
    """What was measured at one step of one attempt."""

    __tablename__ = "job_metrics"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[float | None]
    values: Mapped[Any] = mapped_column(Json)
    at: Mapped[int | None] = mapped_column(BigInteger)


class CheckpointRow(Row):
    """A state of the training that was saved at one step of one attempt."""

    __tablename__ = "job_checkpoints"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    at: Mapped[int | None] = mapped_column(BigInteger)


def _forgetting(row: type[MetricRow] | type[CheckpointRow]) -> Executable:
    return delete(row).where(
        row.job_id == bindparam("of"),
        row.attempt == bindparam("in_attempt"),
        row.step == bindparam("at_step"),
    )


_FORGET = {row: _forgetting(row) for row in (MetricRow, CheckpointRow)}


async def add(connection: AsyncConnection, told: Sequence[tuple[Job, Observation]]) -> None:
    """Keep what was seen; a step that is told again, after a resume, replaces what was told."""
    metrics = [(job, point) for job, seen in told for point in seen.metrics]
    checkpoints = [(job, point) for job, seen in told for point in seen.checkpoints]
    for row, points in ((MetricRow, metrics), (CheckpointRow, checkpoints)):
        latest = {(job.id, job.attempt, point.step): point for job, point in points}
        if not latest:
            continue
        places = [
            {"of": id, "in_attempt": attempt, "at_step": step} for id, attempt, step in latest
        ]
        await connection.execute(_FORGET[row], places)
        values = [
            {"job_id": id, "attempt": attempt} | msgspec.structs.asdict(point)
            for (id, attempt, _), point in latest.items()
        ]
        await connection.execute(insert(row), values)


async def metrics_after(
    connection: AsyncConnection, job: Job, after: int, limit: int
) -> list[MetricPoint]:
    """Points of the current attempt with a step above `after`, in order."""
    found = await connection.execute(
        select(MetricRow.step, MetricRow.values, MetricRow.epoch, MetricRow.at)
        .where(MetricRow.job_id == job.id, MetricRow.attempt == job.attempt, MetricRow.step > after)
        .order_by(MetricRow.step)
        .limit(limit)
    )
    return [msgspec.convert(dict(row), MetricPoint) for row in found.mappings()]


async def checkpoints(connection: AsyncConnection, job: Job) -> list[Checkpoint]:
    """Checkpoints of the current attempt, in order."""
    found = await connection.execute(
        select(CheckpointRow.step, CheckpointRow.name, CheckpointRow.at)
        .where(CheckpointRow.job_id == job.id, CheckpointRow.attempt == job.attempt)
        .order_by(CheckpointRow.step)
    )
    return [msgspec.convert(dict(row), Checkpoint) for row in found.mappings()]
