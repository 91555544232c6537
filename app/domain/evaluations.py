"""An evaluation: candidates answer held-out prompts, and metrics compare the answers."""

from enum import StrEnum

import msgspec

from app.domain.datasets import DatasetRef


class EvaluationStatus(StrEnum):
    """Where an evaluation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (EvaluationStatus.SUCCEEDED, EvaluationStatus.FAILED)


class Candidate(msgspec.Struct, frozen=True):
    """Who answers: `name` as the user wrote it, and the base or tuned model that it means."""

    name: str
    provider: str
    base_model: str
    model_id: str | None = None


class Interval(msgspec.Struct, frozen=True):
    """The bounds of a 95 % confidence interval."""

    low: float
    high: float


class Score(msgspec.Struct, frozen=True):
    """A candidate's mean on one metric."""

    candidate: str
    metric: str
    mean: float
    interval: Interval
    examples: int


class Difference(msgspec.Struct, frozen=True):
    """How much better `candidate` is than `baseline` on the very same examples."""

    candidate: str
    baseline: str
    metric: str
    mean: float
    interval: Interval


class EvaluationError(msgspec.Struct, frozen=True):
    """Why an evaluation could not be finished."""

    code: str
    message: str


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation as the database keeps it."""

    id: str
    dataset: DatasetRef
    candidates: list[Candidate]
    metrics: list[str]
    limit: int | None = None
    job_id: str | None = None
    status: EvaluationStatus = EvaluationStatus.QUEUED
    examples: int = 0
    answered: int = 0
    scores: list[Score] = []
    differences: list[Difference] = []
    error: EvaluationError | None = None
    failures: int = 0
    epoch: int = 0
    created_at: int
    finished_at: int | None = None

    @property
    def candidate_names(self) -> list[str]:
        """The candidates as the user wrote them."""
        return [candidate.name for candidate in self.candidates]

    @property
    def total(self) -> int:
        """How many answers there will be in all."""
        return self.examples * len(self.candidates)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one candidate said to one example; `row` is the example's 1-based line."""

    row: int
    candidate: str
    output: str
    scores: dict[str, float]
    seconds: float
    completion_tokens: int | None = None
    refusal: str | None = None
