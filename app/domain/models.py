"""A tuned model: what a succeeded job left, and what reproduces it."""

from typing import Any

import msgspec

from app.domain.datasets import DatasetRef
from app.domain.jobs import Method


class TunedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was tuned here; `artifact` is the provider's handle and never leaves."""

    id: str
    name: str | None
    provider: str
    base_model: str
    parent_model_id: str | None
    job_id: str
    dataset: DatasetRef
    method: Method
    effective: dict[str, Any]
    kind: str
    artifact: str
    sha256: str | None
    trained_tokens: int | None
    created_at: int
