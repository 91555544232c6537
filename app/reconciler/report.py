"""The report chore: look through a new dataset, telling how far it is, and keep what was found.

What has been seen lives in memory only: after a crash a report begins anew.
"""

import asyncio
import time
from typing import Any

from app.domain.decide import backoff_seconds
from app.domain.errors import DatasetNotFound
from app.domain.reporting.analysis import Analysis
from app.domain.reporting.findings import Report
from app.domain.reporting.progress import DatasetReport, ReportError, ReportStatus
from app.reconciler import work
from app.reconciler.work import Workshop
from app.storage import datasets, reports
from app.storage.reports import ReportRow
from app.storage.sources import read_batches

PROGRESS_SECONDS = 2.0
"""How often what was found so far is written down; the first batch is told at once."""

MAX_FAILURES = 3
"""A report is computed from what lies here: what fails three times fails always."""


class LeaseLost(Exception):
    """Somebody else computes the report by now, or its dataset is gone."""


async def tick(shop: Workshop) -> int:
    """Compute one report that is due; how many were looked at."""
    async with shop.database.read() as connection:
        if not await reports.is_any_due(connection):
            return 0
    async with shop.database.write() as connection:
        claimed = await reports.claim(connection, owner=shop.owner, limit=1)
    for report in claimed:
        async with work.held(shop, ReportRow, report.id, report.epoch):
            await _compute(shop, report)
    return len(claimed)


async def _compute(shop: Workshop, report: DatasetReport) -> None:
    try:
        result = await _analyse(shop, report)
    except (DatasetNotFound, LeaseLost):
        work.log.info("report_dropped", dataset=report.id)
    except Exception as error:  # noqa: BLE001 - a report that breaks must not stop the others
        work.broke("report", report.id)
        await _postpone(shop, report, error)
    else:
        await _keep(shop, report, result)


async def _analyse(shop: Workshop, report: DatasetReport) -> Report:
    async with shop.database.read() as connection:
        dataset = await datasets.get(connection, report.id)
    analysis = Analysis(dataset.kind)
    tell_at = 0.0
    async for batch in read_batches(shop.blobs.chunks(dataset.sha256)):
        if analysis.examined and time.monotonic() >= tell_at:
            await _tell(shop, report, await asyncio.to_thread(analysis.so_far))
            tell_at = time.monotonic() + PROGRESS_SECONDS
        # Looking is work for a processor: the event loop goes on answering meanwhile.
        await asyncio.to_thread(analysis.feed, batch)
    return await asyncio.to_thread(analysis.finish)


async def _tell(shop: Workshop, report: DatasetReport, so_far: Report) -> None:
    async with shop.database.write() as connection:
        if not await reports.note_progress(connection, report, so_far):
            raise LeaseLost


async def _keep(shop: Workshop, report: DatasetReport, result: Report) -> None:
    async with shop.database.write() as connection:
        # The same content has the same tokens: no harm if another has told them already.
        await datasets.set_tokens(connection, report.id, result.tokens.total)
        is_ours = await reports.apply(
            connection,
            report,
            look_again_in=None,
            ended=True,
            status=ReportStatus.READY,
            result=result,
            examined=result.examples,
        )
    _note(report, is_ours)


async def _postpone(shop: Workshop, report: DatasetReport, error: Exception) -> None:
    failures = report.failures + 1
    if failures >= MAX_FAILURES:
        problem = ReportError("report_broke", f"{type(error).__name__}: the log has the rest.")
        await _write(shop, report, status=ReportStatus.FAILED, error=problem, failures=failures)
        return
    wait = backoff_seconds(failures, shop.chance)
    await _write(shop, report, failures=failures, look_again_in=wait)


async def _write(
    shop: Workshop, report: DatasetReport, *, look_again_in: float | None = None, **changes: Any
) -> None:
    status = ReportStatus(changes.get("status", report.status))
    async with shop.database.write() as connection:
        is_ours = await reports.apply(
            connection, report, look_again_in=look_again_in, ended=status.is_final, **changes
        )
    _note(report, is_ours)


def _note(report: DatasetReport, is_ours: bool) -> None:
    if not is_ours:
        work.lost_lease("report", report.id, epoch=report.epoch)
