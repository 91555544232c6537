"""The whole schema in one place: importing this module knows every table."""

from app.storage import datasets, evaluations, idempotency, jobs, models, reports
from app.storage.base import Row

metadata = Row.metadata

__all__ = ["datasets", "evaluations", "idempotency", "jobs", "metadata", "models", "reports"]
