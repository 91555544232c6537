"""The whole schema in one place: importing this module knows every table."""

from typing import Any

from app.storage import (
    aliases,
    answers,
    audit,
    comparisons,
    compatibility,
    compilations,
    datasets,
    evaluations,
    feedback,
    files,
    hosting,
    idempotency,
    imports,
    job_series,
    jobs,
    keys,
    ledger,
    models,
    notices,
    orphans,
    projects,
    reports,
    throttles,
    uploads,
    vendor_lists,
    webhook_deliveries,
    webhook_endpoints,
)
from app.storage.base import Row
from app.storage.leases import Leased

metadata = Row.metadata


def leased_rows() -> list[type[Any]]:
    """The classes of all rows that somebody works on from time to time."""
    rows = [mapper.class_ for mapper in Row.registry.mappers if issubclass(mapper.class_, Leased)]
    return sorted(rows, key=lambda row: row.__tablename__)


__all__ = [
    "aliases",
    "answers",
    "audit",
    "comparisons",
    "compatibility",
    "compilations",
    "datasets",
    "evaluations",
    "feedback",
    "files",
    "hosting",
    "idempotency",
    "imports",
    "job_series",
    "jobs",
    "keys",
    "leased_rows",
    "ledger",
    "metadata",
    "models",
    "notices",
    "orphans",
    "projects",
    "reports",
    "throttles",
    "uploads",
    "vendor_lists",
    "webhook_deliveries",
    "webhook_endpoints",
]
