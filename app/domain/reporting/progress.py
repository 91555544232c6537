"""A report on its way: asked for with its dataset, computed in the background, then there."""

from enum import StrEnum

import msgspec

from app.domain.reporting.findings import Report


class ReportStatus(StrEnum):
    """Where a report stands."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (ReportStatus.READY, ReportStatus.FAILED)


class ReportError(msgspec.Struct, frozen=True):
    """Why a report could not be computed."""

    code: str
    message: str


class DatasetReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report of one dataset version as the database keeps it; `id` is the dataset's."""

    id: str
    status: ReportStatus = ReportStatus.QUEUED
    examined: int = 0
    result: Report | None = None
    error: ReportError | None = None
    failures: int = 0
    epoch: int = 0
    created_at: int
    finished_at: int | None = None

    @property
    def is_ready(self) -> bool:
        """Whether `result` is the whole report and not only what was found so far."""
        return self.status is ReportStatus.READY
