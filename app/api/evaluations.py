"""Evaluations over HTTP: compare models on held-out examples."""

from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.jobs import DatasetRefOut
from app.api.problems import responses
from app.api.shapes import (
    Cursor,
    In,
    Limit,
    Moment,
    Names,
    Out,
    Page,
    after,
    answer,
    answer_page,
    before,
)
from app.domain.evaluations import EvaluationStatus
from app.domain.examples import ChatExample, prompt_and_expected
from app.services.evaluations import Judged, WantedEvaluation

router = APIRouter(prefix="/evaluations", tags=["evaluations"])


class EvaluationIn(In):
    """Which models to compare, on what, by which metrics."""

    dataset: str = Field(description="Held-out examples: id, `name` or `name@3`.")
    candidates: Names = Field(
        description="Tuned models' ids or `provider/base_model`; the first is the baseline.",
        examples=[["local/luthier-tiny", "model_01jd..."]],
    )
    metrics: Names = ["exact_match"]
    limit: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Ask only the first so many."
    )


class IntervalOut(Out):
    """A 95 % confidence interval."""

    low: float
    high: float


class ScoreOut(Out):
    """A candidate's mean on one metric."""

    candidate: str
    metric: str
    mean: float
    interval: IntervalOut
    examples: int


class DifferenceOut(Out):
    """How much better a candidate is than the first one, on the same examples."""

    candidate: str
    baseline: str
    metric: str
    mean: float
    interval: IntervalOut


class EvaluationErrorOut(Out):
    """Why it could not be finished."""

    code: str
    message: str


class EvaluationOut(Out):
    """An evaluation."""

    id: str
    dataset: DatasetRefOut
    candidates: list[str] = Field(validation_alias="candidate_names")
    metrics: list[str]
    limit: int | None
    job: str | None = Field(validation_alias="job_id")
    status: EvaluationStatus
    examples: int
    answered: int
    total: int
    scores: list[ScoreOut]
    differences: list[DifferenceOut]
    error: EvaluationErrorOut | None
    created_at: Moment
    finished_at: Moment | None


class AnswerOut(Out):
    """What one candidate said."""

    candidate: str
    output: str
    scores: dict[str, float]
    seconds: float
    completion_tokens: int | None
    refusal: str | None


class JudgedOut(Out):
    """One example with every candidate's answer."""

    line: int
    prompt: list[dict[str, Any]]
    expected: str
    answers: list[AnswerOut]


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
    wanted = WantedEvaluation(
        dataset=body.dataset, candidates=body.candidates, metrics=body.metrics, limit=body.limit
    )
    created = await use.evaluations.create(wanted, key_for("create_evaluation", key, body))
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


@router.get(
    "/{evaluation_id}/examples",
    operation_id="list_evaluation_examples",
    summary="List an evaluation's answers",
    response_model=Page[JudgedOut],
    responses=responses(404, 422),
)
async def list_evaluation_examples(
    use: Use,
    evaluation_id: str,
    sort: Literal["row", "worst"] = "row",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Prompt, expected answer, and each candidate's output with its scores."""
    start = after(cursor)
    judged = await use.evaluations.examples(evaluation_id, sort=sort, after=start, limit=limit + 1)
    rows = [_judged(one) for one in judged]
    return answer_page(Page[JudgedOut], rows, limit, lambda _: str(start + limit))


def _judged(one: Judged) -> dict[str, Any]:
    parts = prompt_and_expected(one.example) if isinstance(one.example, ChatExample) else None
    messages, expected = parts or ([], "")
    return {
        "line": one.answers[0].row,
        "prompt": msgspec.to_builtins(messages),
        "expected": expected,
        "answers": one.answers,
    }
