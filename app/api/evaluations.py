"""Evaluations over HTTP: compare models on held-out examples."""

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.evaluation_wishes import EvaluationIn, MetricsIn
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.jobs import DatasetRefOut
from app.api.problems import responses
from app.api.shapes import Cursor, Limit, Moment, Out, Page, Usd, answer, answer_page, before
from app.domain.evaluations import EvaluationStatus, JudgeMode

router = APIRouter(prefix="/evaluations", tags=["evaluations"])


class IntervalOut(Out):
    """A 95 % confidence interval."""

    low: float
    high: float


class ScoreOut(Out):
    """A candidate's mean on one metric; null where the metric fits no example."""

    candidate: str
    metric: str
    mean: float | None
    interval: IntervalOut | None
    examples: int


class SliceScoreOut(ScoreOut):
    """The same over the examples of one slice."""

    slice: str = Field(examples=["label:refund", "length:up_to_50", "tag:long tail"])


class DifferenceOut(Out):
    """How far a candidate scores above the first one, on the same examples."""

    candidate: str
    baseline: str
    metric: str
    mean: float | None
    interval: IntervalOut | None
    examples: int | None


class LabelReportOut(Out):
    """How well one label is told."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int = Field(description="How often it was expected.")
    said: int = Field(description="How often it was given.")


class ClassificationOut(Out):
    """How well a candidate tells labels apart."""

    candidate: str
    accuracy: float
    macro_f1: float
    micro_f1: float
    by_label: list[LabelReportOut]
    labels: list[str] = Field(description="Of the rows and columns of `confusion`.")
    confusion: list[list[int]] = Field(
        description="A row for each label expected, a column for each given, one more for the rest."
    )


class AgreementOut(Out):
    """How far a metric agrees with people's ratings."""

    metric: str
    ratings: int
    spearman: float | None = Field(description="Rank correlation, from -1 to 1.")
    kappa: float | None = Field(description="Cohen's, with quadratic weights; of a judge's marks.")


class GainOut(Out):
    """By how much a candidate is better than the first, and what was needed."""

    metric: str
    dataset: DatasetRefOut | None
    evaluation: str | None = Field(validation_alias="evaluation_id")
    gain: float | None = Field(description="The mean; of time, tokens and cost what was saved.")
    lower_bound: float | None = Field(description="What is reached with the gate's confidence.")
    needed: float
    examples: int
    passed: bool
    reason: str


class VerdictOut(Out):
    """Whether a candidate passes the gate, and the numbers that decided."""

    candidate: str
    baseline: str
    passed: bool
    gate: GainOut
    guards: list[GainOut]


class FindingsOut(Out):
    """What was found beyond means and differences."""

    slices: list[SliceScoreOut]
    classifications: list[ClassificationOut] = Field(
        description="One for each candidate where the expected answers are labels."
    )
    agreements: list[AgreementOut]
    verdicts: list[VerdictOut]


class JudgeOut(Out):
    """The model that judges, and by what."""

    model: str = Field(validation_alias="name")
    rubric: str
    mode: JudgeMode


class GuardOut(Out):
    """What may not become worse."""

    metric: str
    dataset: DatasetRefOut | None
    evaluation: str | None = Field(validation_alias="evaluation_id")
    max_drop: float


class GateOut(Out):
    """What decides whether the candidates are good enough."""

    metric: str
    min_delta: float | None
    non_inferiority_margin: float | None
    confidence: float
    guards: list[GuardOut]


class EvaluationErrorOut(Out):
    """Why it could not be finished."""

    code: str
    message: str


class EvaluationOut(Out):
    """An evaluation."""

    id: str = Field(examples=["eval_01m83e5h8gwajxdy5wzxkfa82z"])
    dataset: DatasetRefOut
    candidates: list[str] = Field(validation_alias="candidate_names")
    metrics: list[str]
    limit: int | None
    judge: JudgeOut | None
    gate: GateOut | None
    max_cost_usd: Usd | None
    job: str | None = Field(validation_alias="job_id")
    status: EvaluationStatus
    examples: int
    answered: int
    total: int
    judged: int
    to_judge: int
    errors: dict[str, int] = Field(description="Examples that a candidate could not answer.")
    cost_usd: float | None = Field(description="So far, as far as prices are known.")
    scores: list[ScoreOut]
    differences: list[DifferenceOut]
    findings: FindingsOut | None
    passed: bool | None = Field(description="Whether all candidates pass; null without a gate.")
    error: EvaluationErrorOut | None
    created_at: Moment
    finished_at: Moment | None


@router.post(
    "",
    operation_id="create_evaluation",
    summary="Compare models on held-out examples",
    status_code=201,
    response_model=EvaluationOut,
    responses=responses(400, 404, 422),
)
async def create_evaluation(use: Use, body: EvaluationIn, key: KeyHeader = None) -> Response:
    """Queue an evaluation; its answers come one by one, its scores at the end."""
    created = await use.evaluations.create(body.wanted, key_for("create_evaluation", key, body))
    return answer(
        EvaluationOut.model_validate(created.thing),
        status=201,
        headers={"Location": f"/evaluations/{created.thing.id}"}
        | replay_headers(created.is_replay),
    )


@router.get(
    "",
    operation_id="list_evaluations",
    summary="List evaluations",
    response_model=Page[EvaluationOut],
    responses=responses(422),
)
async def list_evaluations(
    use: Use, job: str | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Evaluations, newest first."""
    found = await use.evaluations.list_page(job_id=job, before=before(cursor), limit=limit + 1)
    return answer_page(Page[EvaluationOut], found, limit, lambda evaluation: evaluation.id)


@router.get(
    "/{evaluation_id}",
    operation_id="get_evaluation",
    summary="Get an evaluation",
    response_model=EvaluationOut,
    responses=responses(404),
)
async def get_evaluation(use: Use, evaluation_id: str) -> Response:
    """How far it is, and what came of it."""
    return answer(EvaluationOut.model_validate(await use.evaluations.get(evaluation_id)))


@router.post(
    "/{evaluation_id}/metrics",
    operation_id="add_evaluation_metrics",
    summary="Score kept answers by more metrics",
    status_code=202,
    response_model=EvaluationOut,
    responses=responses(404, 409, 422),
)
async def add_evaluation_metrics(use: Use, evaluation_id: str, body: MetricsIn) -> Response:
    """No candidate is asked again; a judge is asked for what it has not judged yet."""
    judge = body.judge.wanted if body.judge else None
    evaluation = await use.evaluations.add_metrics(evaluation_id, body.metrics, judge)
    return answer(EvaluationOut.model_validate(evaluation), status=202)
