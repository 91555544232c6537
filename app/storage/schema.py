"""The whole schema in one place: importing this module knows every table."""

from app.storage import (
    compilations,
    datasets,
    evaluations,
    idempotency,
    jobs,
    models,
    orphans,
    reports,
    throttles,
)
from app.storage.base import Row

metadata = Row.metadata

__all__ = [
    "compilations",
    "datasets",
    "evaluations",
    "idempotency",
    "jobs",
    "metadata",
    "models",
    "orphans",
    "reports",
    "throttles",
]
