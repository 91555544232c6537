"""Cards of tuned models over HTTP: to read, to compare, and to make the same again by."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.evaluations import IntervalOut
from app.api.jobs import DatasetRefOut
from app.api.problems import responses
from app.api.shapes import Out, Usd
from app.domain.aliases import DecisionKind
from app.domain.cards.card import encode
from app.domain.cards.differences import Change
from app.domain.cards.readme import readme

router = APIRouter(prefix="/models", tags=["models"])

MARKDOWN = "text/markdown"


class CardModelOut(Out):
    """The tuned model."""

    id: str
    name: str | None
    job: str | None
    kind: str
    sha256: str | None = Field(description="Of its weights, where they are here.")


class CardProviderOut(Out):
    """Where it was trained."""

    name: str
    kind: str | None


class CardBaseOut(Out):
    """What it was tuned from."""

    name: str
    revision: str | None = Field(description="The hub's commit, for a model from there.")
    sha256: str | None = Field(description="Of the base's weights, where they were here.")
    parent_model: str | None = Field(description="The tuned model that the training continued.")
    parent_sha256: str | None


class SentRowsOut(Out):
    """The rows as they were sent; hashes are SHA-256."""

    dataset_sha256: str = Field(description="Of the whole dataset that they are from.")
    examples: int
    sha256: str = Field(description="Of the file as it was sent.")
    rows_sha256: str = Field(
        description="Of the 32-byte hashes of its lines, in order, lines without their ends."
    )


class CardDataOut(Out):
    """One side of the examples."""

    dataset: DatasetRefOut | None
    sent: SentRowsOut | None


class CardMethodOut(Out):
    """How it was trained."""

    type: str
    requested: dict[str, Any]
    effective: dict[str, Any] = Field(description="Once `auto` was settled, as it was told.")


class CardCostOut(Out):
    """US dollars for the training."""

    quoted_usd: Usd | None
    actual_usd: Usd | None


class CardTimesOut(Out):
    """When; of the last attempt, where there were several."""

    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class CardScoreOut(Out):
    """The model's mean on one metric, with its 95 % interval."""

    metric: str
    mean: float | None
    interval: IntervalOut | None
    examples: int


class CardEvaluationOut(Out):
    """One evaluation in which the model answered."""

    id: str
    dataset: DatasetRefOut
    finished_at: datetime | None
    scores: list[CardScoreOut]
    passed: bool | None = Field(description="The gate's word on the model; null without one.")


class CardDecisionOut(Out):
    """One decision on an alias that was to mean the model, or meant it."""

    alias: str
    kind: DecisionKind
    by: str
    from_model: str | None
    to_model: str | None
    reason: str | None
    evaluation: str | None
    at: datetime


class CardOut(Out):
    """All that is known of how a tuned model came about; what is not known is null."""

    card_version: int = Field(examples=[1])
    model: CardModelOut
    provider: CardProviderOut
    base_model: CardBaseOut
    method: CardMethodOut | None
    seed: int | None
    training: CardDataOut
    validation: CardDataOut | None
    validation_split: float | None
    compiler: str | None = Field(description="The fingerprint of what made the rows.")
    versions: dict[str, str] | None = Field(description="Of the packages that sent and trained.")
    trained_tokens: int | None
    cost: CardCostOut | None
    times: CardTimesOut
    evaluations: list[CardEvaluationOut] = Field(description="Newest first, at most 50.")
    decisions: list[CardDecisionOut] = Field(description="Newest first, at most 100.")


class CardChangeOut(Out):
    """One place at which two cards differ; null is what is not there."""

    pointer: str = Field(examples=["/method/effective/epochs"])
    from_: str | int | float | bool | None = Field(alias="from")
    to: str | int | float | bool | None


class CardDiffOut(Out):
    """In what the card of another model differs from this one's."""

    changes: list[CardChangeOut]


@router.get(
    "/{ref:path}/card/diff",
    operation_id="diff_model_cards",
    summary="Compare the cards of two models",
    response_model=CardDiffOut,
    responses=responses(404, 422),
)
async def diff_model_cards(
    use: Use,
    ref: str,
    other: Annotated[
        str, Query(alias="with", description="The other model: id or alias.", examples=["support"])
    ],
) -> Response:
    """Every place at which the other model's card says something else, as JSON pointers."""
    return _json({"changes": await use.cards.diff(ref, other)})


@router.get(
    "/{ref:path}/card",
    operation_id="get_model_card",
    summary="Get the card of a tuned model",
    response_model=CardOut,
    responses=responses(404) | {200: {"content": {MARKDOWN: {"schema": {"type": "string"}}}}},
)
async def get_model_card(
    use: Use, ref: str, accept: Annotated[str, Header(include_in_schema=False)] = ""
) -> Response:
    """What reproduces it: hashes of the rows as sent, parameters as used, versions, seed.

    `Accept: text/markdown` gives it as the README of a model's folder. `POST /jobs` with
    `{"card": ...}` trains the same again.
    """
    card = await use.cards.get(ref)
    vary = {"Vary": "Accept"}
    if MARKDOWN in accept:
        return Response(readme(card), media_type=MARKDOWN, headers=vary)
    return Response(encode(card), media_type="application/json", headers=vary)


def _json(body: dict[str, list[Change]]) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
