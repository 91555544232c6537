"""A migration: a tuned model made anew at another provider, and compared with the one before."""

from enum import StrEnum
from typing import Any

import msgspec

from app.domain.datasets import DatasetRef
from app.domain.evaluations import Candidate, Gate


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one hyperparameter on its way to another provider.

    `after` is None where it was left out, and `auto` where the provider chooses.
    """

    field: str
    before: Any
    after: Any
    why: str


class HeldOutOrigin(StrEnum):
    """Why these examples were taken to compare on."""

    REQUEST = "request"
    JOB_EVALUATION = "job_evaluation"
    JOB_VALIDATION = "job_validation"


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """The examples that both models answer, and that neither was trained on."""

    dataset: DatasetRef
    origin: HeldOutOrigin
    examples: int


class BaselineKind(StrEnum):
    """Whose answers the new model is compared with."""

    MODEL = "model"
    """The replaced model's, which is asked."""

    KEPT_ANSWERS = "kept_answers"
    """The replaced model's, from an evaluation when it still answered."""

    BASE_MODEL = "base_model"
    """Those of the base model that the new one is trained from."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the new model is compared with; `why` where it is not the replaced model itself."""

    candidate: Candidate
    kind: BaselineKind
    evaluation_id: str | None = None
    why: str | None = None


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """What a job keeps of the migration that it is."""

    replaced: Candidate
    baseline: Baseline
    gate: Gate
    notes: list[Note]
