"""An evaluation: candidates answer held-out prompts, and metrics compare the answers."""

import hashlib
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domain.access import DEFAULT_PROJECT
from app.domain.datasets import DatasetRef
from app.domain.examples import ToolCall
from app.domain.measures.classes import Classification

JUDGE = "judge"
"""The metric that another model gives; it needs a `Judge`."""


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


class JudgeMode(StrEnum):
    """What a judge is asked for."""

    SCORE = "score"
    """A mark from 1 to 5 for each answer."""

    PAIRWISE = "pairwise"
    """The better of two answers, the baseline's and another, in both orders."""


class Judge(msgspec.Struct, frozen=True):
    """The model that judges answers, and by what."""

    model: Candidate
    rubric: str
    mode: JudgeMode = JudgeMode.SCORE

    @property
    def name(self) -> str:
        """The model as the user wrote it."""
        return self.model.name

    @property
    def turns(self) -> int:
        """How often each answer is judged."""
        return 2 if self.mode is JudgeMode.PAIRWISE else 1

    @property
    def key(self) -> str:
        """What judgements are kept under: another rubric or model judges anew."""
        asked = "\0".join((self.model.name, self.mode, self.rubric))
        return hashlib.sha256(asked.encode()).hexdigest()[:16]


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """What may not become worse by more than `max_drop`: a metric, here or on another dataset.

    Another dataset has an evaluation of its own, which is asked for together with this one.
    """

    metric: str
    max_drop: float
    dataset: DatasetRef | None = None
    evaluation_id: str | None = None


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """How much better than the first candidate the others have to be, and how surely.

    Either `min_delta` or `non_inferiority_margin` is there.
    """

    metric: str
    min_delta: float | None = None
    non_inferiority_margin: float | None = None
    confidence: float = 0.95
    guards: list[Guard] = []

    @property
    def metrics(self) -> list[str]:
        """What has to be measured on the evaluation's own dataset."""
        return [self.metric, *(guard.metric for guard in self.guards if guard.dataset is None)]

    @property
    def threshold(self) -> float:
        """What the gain has to reach."""
        return -self.non_inferiority_margin if self.min_delta is None else self.min_delta  # pyright: ignore[reportOptionalOperand]


class Rating(msgspec.Struct, frozen=True):
    """What a person thought of a candidate's answer to the example of a line, from 1 to 5."""

    line: int
    candidate: str
    score: int


class Interval(msgspec.Struct, frozen=True):
    """The bounds of a 95 % confidence interval."""

    low: float
    high: float


class Score(msgspec.Struct, frozen=True):
    """A candidate's mean on one metric; None where the metric fits no example."""

    candidate: str
    metric: str
    mean: float | None
    interval: Interval | None
    examples: int


class SliceScore(msgspec.Struct, frozen=True):
    """The same over the examples of one slice, such as `label:refund`."""

    slice: str
    candidate: str
    metric: str
    mean: float | None
    interval: Interval | None
    examples: int


class Difference(msgspec.Struct, frozen=True):
    """By how much `candidate` scores above `baseline` on the very same examples."""

    candidate: str
    baseline: str
    metric: str
    mean: float | None
    interval: Interval | None
    examples: int | None = None
    """None in evaluations from before it was counted."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How far a metric agrees with people's ratings, over all candidates.

    `spearman` is a rank correlation; `kappa` (quadratic weights) compares a judge's marks from
    1 to 5. None where one side never varies.
    """

    metric: str
    ratings: int
    spearman: float | None
    kappa: float | None = None


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a candidate is better than the baseline, less for what less is better of.

    `lower_bound` is the gain that is reached with the gate's confidence (one-sided); `passed` says
    whether that is at least `needed`.
    """

    metric: str
    gain: float | None
    lower_bound: float | None
    needed: float
    examples: int
    passed: bool
    reason: str
    dataset: DatasetRef | None = None
    evaluation_id: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a candidate passes the gate, and the numbers that decided."""

    candidate: str
    baseline: str
    passed: bool
    gate: Gain
    guards: list[Gain]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation found beyond means and differences."""

    slices: list[SliceScore] = []
    classifications: list[Classification] = []
    agreements: list[Agreement] = []
    verdicts: list[Verdict] = []


class EvaluationError(msgspec.Struct, frozen=True):
    """Why an evaluation could not be finished."""

    code: str
    message: str


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation as the database keeps it."""

    id: str
    project_id: str = DEFAULT_PROJECT
    key_id: str | None = None
    dataset: DatasetRef
    candidates: list[Candidate]
    metrics: list[str]
    limit: int | None = None
    judge: Judge | None = None
    gate: Gate | None = None
    max_cost_usd: Decimal | None = None
    ratings: list[Rating] = []
    tags: dict[str, list[int]] = {}
    """Lines by the tag that the user gave them."""

    job_id: str | None = None
    status: EvaluationStatus = EvaluationStatus.QUEUED
    examples: int = 0
    answered: int = 0
    to_judge: int = 0
    judged: int = 0
    errors: dict[str, int] = {}
    """How many questions a candidate could not answer."""

    cost_usd: float | None = None
    """What answers and judgements cost so far, as far as prices are known."""

    scores: list[Score] = []
    differences: list[Difference] = []
    findings: Findings | None = None
    error: EvaluationError | None = None
    failures: int = 0
    accidents: int = 0
    """Claims in a row after which nothing was written; under lease the present one counts."""

    epoch: int = 0
    created_at: int
    finished_at: int | None = None

    @property
    def candidate_names(self) -> list[str]:
        """The candidates as the user wrote them; the first is the baseline."""
        return [candidate.name for candidate in self.candidates]

    @property
    def total(self) -> int:
        """How many answers there will be in all."""
        return self.examples * len(self.candidates)

    @property
    def passed(self) -> bool | None:
        """Whether all candidates pass the gate; None without one, or before the end."""
        verdicts = self.findings.verdicts if self.findings else []
        return all(verdict.passed for verdict in verdicts) if verdicts else None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one candidate said to one example; `row` is the example's 1-based line.

    `refusal` says why there is no answer.
    """

    row: int
    candidate: str
    output: str
    tool_calls: list[ToolCall] | None = None
    scores: dict[str, float]
    seconds: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    refusal: str | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge said of one answer: 0 (worst) to 1; None where that could not be read."""

    judge: str
    candidate: str
    row: int
    turn: int
    verdict: float | None
    text: str
    cost_usd: float | None = None
