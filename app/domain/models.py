"""A tuned model: what a succeeded job left, or what was found at the provider."""

from typing import Any

import msgspec

from app.domain.datasets import DatasetRef
from app.domain.jobs import Method
from app.domain.provenance import BaseSnapshot


class TunedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A tuned model; `artifact` is the provider's handle and never leaves.

    Of one that was imported the job, the dataset and the method may be unknown.
    """

    id: str
    name: str | None
    provider: str
    base_model: str
    parent_model_id: str | None
    job_id: str | None
    dataset: DatasetRef | None
    method: Method | None
    effective: dict[str, Any]
    kind: str
    artifact: str
    sha256: str | None
    base: BaseSnapshot | None = None
    """The state of the base model that it was trained from, where the provider tells."""

    trained_tokens: int | None
    created_at: int
