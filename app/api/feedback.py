"""Feedback over HTTP: rate and correct a model's answers, and make them into a dataset."""

from typing import Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import Field, JsonValue

from app.api.dataset_uploads import Name
from app.api.datasets import DatasetOut
from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, key_for, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import Cursor, In, Limit, Moment, Out, Page, answer, answer_page, before
from app.domain.feedback import Feedback
from app.services.feedback import WantedFeedback, WantedLessons

router = APIRouter(tags=["feedback"])


class FeedbackIn(In):
    """What somebody thinks of one answer, and what it should have been."""

    messages: list[dict[str, JsonValue]] = Field(
        min_length=1,
        description="What the model was asked, as OpenAI's messages.",
        examples=[[{"role": "user", "content": "I was charged twice."}]],
    )
    answer: str = Field(description="What it said.", examples=["billing.refund"])
    rating: int = Field(ge=1, le=5, description="From 1 (bad) to 5 (good).")
    corrected: str | None = Field(
        default=None,
        min_length=1,
        description="What it should have said.",
        examples=["billing.double_charge"],
    )


class FeedbackOut(Out):
    """Feedback as it is kept."""

    id: str
    model: str
    messages: list[dict[str, Any]]
    answer: str
    rating: int
    corrected: str | None
    created_at: Moment


class FeedbackDatasetIn(In):
    """Which feedback is to be learned from."""

    model: str = Field(description="A tuned model's id or `provider/base_model`.")
    name: Name = Field(description="Of the dataset.")
    minimum_rating: int | None = Field(
        default=None,
        ge=1,
        le=5,
        description="Also answers that are rated so well, as they are; by default corrected ones "
        "only.",
    )


@router.post(
    "/models/{ref:path}/feedback",
    operation_id="create_feedback",
    summary="Rate or correct a model's answer",
    status_code=201,
    response_model=FeedbackOut,
    responses=responses(404, 422),
)
async def create_feedback(use: Use, ref: str, body: FeedbackIn, key: KeyHeader = None) -> Response:
    """Keep a rating and what the answer should have been; datasets can be made of it."""
    wanted = WantedFeedback(
        messages=body.messages, answer=body.answer, rating=body.rating, corrected=body.corrected
    )
    content = f"{ref}\n{body.model_dump_json()}".encode()
    promised = None if key is None else with_fingerprint("create_feedback", key, content)
    created = await use.feedbacks.add(ref, wanted, promised)
    return answer(_out(created.thing), status=201, headers=replay_headers(created.is_replay))


@router.get(
    "/models/{ref:path}/feedback",
    operation_id="list_feedback",
    summary="List feedback on a model",
    response_model=Page[FeedbackOut],
    responses=responses(404, 422),
)
async def list_feedback(use: Use, ref: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Feedback, newest first."""
    found = await use.feedbacks.list_page(ref, before=before(cursor), limit=limit + 1)
    shown = [_out(given) for given in found]
    return answer_page(Page[FeedbackOut], shown, limit, lambda given: given.id)


@router.post(
    "/datasets/from-feedback",
    operation_id="create_feedback_dataset",
    summary="Make a dataset of feedback",
    status_code=201,
    response_model=DatasetOut,
    responses=responses(404, 413, 422)
    | {200: {"model": DatasetOut, "description": "It was there."}},
)
async def create_feedback_dataset(
    use: Use, body: FeedbackDatasetIn, key: KeyHeader = None
) -> Response:
    """Store corrected answers as examples to train on."""
    wanted = WantedLessons(model=body.model, name=body.name, minimum_rating=body.minimum_rating)
    promised = key_for("create_feedback_dataset", key, body)
    created = await use.feedbacks.make_dataset(wanted, promised)
    return answer(
        DatasetOut.model_validate(created.thing),
        status=200 if created.existed else 201,
        headers={"Location": f"/datasets/{created.thing.id}"} | replay_headers(created.is_replay),
    )


def _out(given: Feedback) -> FeedbackOut:
    return FeedbackOut.model_validate(msgspec.to_builtins(given))
