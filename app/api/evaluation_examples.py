"""The examples of an evaluation over HTTP: listed worst first, and taken to be corrected."""

from typing import Annotated, Any, Literal, Self

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator

from app.api.dataset_uploads import Name
from app.api.datasets import DatasetOut
from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import Cursor, In, Limit, Out, Page, after, answer, answer_page
from app.domain.examples import ChatExample
from app.domain.questions import question_of
from app.domain.ranking import Order
from app.services.evaluation_examples import Judged, Sorting, WantedWeakExamples

router = APIRouter(prefix="/evaluations", tags=["evaluations"])

Slice = Annotated[
    str | None, Query(description="Only examples of this slice, such as `label:refund`.")
]
By = Annotated[
    str | None, Query(description="Whose score counts in `worst`; by default the last candidate's.")
]
Metric = Annotated[str | None, Query(description="By which metric; by default the first.")]


class JudgementOut(Out):
    """What the judge said of one answer."""

    candidate: str
    turn: int = Field(description="From 0; in a pairwise comparison 1 has the order swapped.")
    verdict: float | None = Field(description="0 to 1; null where it could not be read.")
    text: str


class AnswerOut(Out):
    """What one candidate said."""

    candidate: str
    output: str
    tool_calls: list[dict[str, Any]] | None
    scores: dict[str, float]
    seconds: float
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    refusal: str | None = Field(description="Why there is no answer.")


class JudgedOut(Out):
    """One example with every candidate's answer."""

    line: int
    prompt: list[dict[str, Any]]
    expected: str
    answers: list[AnswerOut]
    judgements: list[JudgementOut]


class WeakExamplesIn(In):
    """Which examples to take."""

    from_: Literal["worst", "disagreement", "slice"] = Field(
        alias="from",
        description="Those that a candidate answered worst, those on which candidates are furthest "
        "apart, or the worst of one slice.",
    )
    slice: str | None = Field(default=None, examples=["label:refund"])
    candidate: str | None = Field(default=None, description="By default the last.")
    metric: str | None = Field(default=None, description="By default the first.")
    limit: int = Field(default=50, ge=1, le=10_000)
    name: Name | None = Field(default=None, description="By default `<dataset's name>-weak`.")

    @model_validator(mode="after")
    def _names_its_slice(self) -> Self:
        if self.from_ == "slice" and self.slice is None:
            raise ValueError("`from` slice needs a `slice`")
        return self

    @property
    def wanted(self) -> WantedWeakExamples:
        order = Order.DISAGREEMENT if self.from_ == "disagreement" else Order.WORST
        sorting = Sorting(
            order=order, candidate=self.candidate, metric=self.metric, slice=self.slice
        )
        return WantedWeakExamples(sorting=sorting, limit=self.limit, name=self.name)


class ReasonOut(Out):
    """Why an example is weak."""

    line: int = Field(description="In the new version.")
    source_line: int = Field(description="In the version that was evaluated.")
    reason: str
    scores: dict[str, float | None]


class WeakExamplesOut(Out):
    """The version that holds the weak examples, and why each is in it."""

    dataset: DatasetOut
    reasons: list[ReasonOut]


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
    sort: Order = Order.ROW,
    slice: Slice = None,
    candidate: By = None,
    metric: Metric = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Prompt, expected answer, and each candidate's output with its scores."""
    start = after(cursor)
    sorting = Sorting(order=sort, candidate=candidate, metric=metric, slice=slice)
    judged = await use.evaluation_examples.list_page(
        evaluation_id, sorting, after=start, limit=limit + 1
    )
    rows = [_judged(one) for one in judged]
    return answer_page(Page[JudgedOut], rows, limit, lambda _: str(start + limit))


@router.post(
    "/{evaluation_id}/weak-examples",
    operation_id="take_weak_examples",
    summary="Store an evaluation's weak examples",
    status_code=201,
    response_model=WeakExamplesOut,
    responses=responses(404, 413, 422)
    | {200: {"model": WeakExamplesOut, "description": "A version held exactly these."}},
)
async def take_weak_examples(
    use: Use, evaluation_id: str, body: WeakExamplesIn, key: KeyHeader = None
) -> Response:
    """Store the weakest examples as they stand, ready to be corrected by `/datasets/{ref}/edits`.

    Examples without a fault on the metric are left out.
    """
    content = f"{evaluation_id}\n{body.model_dump_json()}".encode()
    promised = None if key is None else with_fingerprint("take_weak_examples", key, content)
    created = await use.evaluation_examples.take_weak(evaluation_id, body.wanted, promised)
    return answer(
        WeakExamplesOut.model_validate(created.thing),
        status=200 if created.existed else 201,
        headers=replay_headers(created.is_replay),
    )


def _judged(one: Judged) -> dict[str, Any]:
    question = question_of(one.row, one.example) if isinstance(one.example, ChatExample) else None
    return {
        "line": one.row,
        "prompt": msgspec.to_builtins(question.messages) if question else [],
        "expected": question.shown if question else "",
        "answers": [msgspec.to_builtins(answer) for answer in one.answers],
        "judgements": one.judgements,
    }
