"""The whole schema in one place: importing this module knows every table."""

from app.storage import (
    aliases,
    answers,
    compilations,
    datasets,
    evaluations,
    feedback,
    files,
    hosting,
    idempotency,
    imports,
    jobs,
    ledger,
    models,
    notices,
    orphans,
    reports,
    throttles,
    uploads,
)
from app.storage.base import Row

metadata = Row.metadata

__all__ = [
    "aliases",
    "answers",
    "compilations",
    "datasets",
    "evaluations",
    "feedback",
    "files",
    "hosting",
    "idempotency",
    "imports",
    "jobs",
    "ledger",
    "metadata",
    "models",
    "notices",
    "orphans",
    "reports",
    "throttles",
    "uploads",
]
