"""Reports: what the background has found out about a dataset so far."""

import msgspec

from app.domain.datasets import Dataset
from app.domain.reporting.findings import Quantity
from app.domain.reporting.progress import DatasetReport
from app.domain.reporting.quantity import judge_quantity
from app.storage import datasets, reports
from app.storage.database import Database


class ReportedDataset(msgspec.Struct, frozen=True):
    """A dataset version with its report; `quantity` is known at once and becomes exact later."""

    dataset: Dataset
    report: DatasetReport
    quantity: Quantity


class Reports:
    """What a user reads about a dataset."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, reference: str) -> ReportedDataset:
        """The report of an id, `name` or `name@3`, as far as it has come; nothing is computed."""
        async with self._database.read() as connection:
            dataset = await datasets.get(connection, reference)
            report = await reports.get(connection, dataset.id)
        result = report.result if report.is_ready else None
        quantity = judge_quantity(dataset.examples) if result is None else result.quantity
        return ReportedDataset(dataset, report, quantity)
