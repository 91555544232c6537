"""Quotes over HTTP: the platforms side by side for one dataset."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field, JsonValue

from app.api.compilations import RemarkOut, TokenMeasureOut
from app.api.datasets import DatasetOut
from app.api.dependencies import Use
from app.api.job_wishes import Hyperparameters
from app.api.problems import responses
from app.api.providers import PriceOut, hosting_price
from app.api.shapes import In, Out, Usd, answer
from app.domain.jobs import Method
from app.domain.provider import Provider
from app.domain.quotes import Quote, Span
from app.services.quotes import QuoteTarget, SideBySide

router = APIRouter(prefix="/quotes", tags=["quotes"])


class QuoteTargetIn(In):
    """One platform to quote for."""

    provider: str = Field(examples=["openai"])
    base_model: str = Field(min_length=1, max_length=500, examples=["gpt-4.1-mini-2025-04-14"])


class QuoteIn(In):
    """What is to be trained, and on which platforms."""

    dataset: str = Field(description="Id, `name` or `name@3`.", examples=["support-labels@2"])
    method: str = Field(default="sft", examples=["sft"])
    hyperparameters: Hyperparameters = Field(
        default_factory=dict[str, JsonValue], examples=[{"epochs": 3}]
    )
    targets: list[QuoteTargetIn] | None = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="Left out: every known base model that offers the method.",
    )


class RangeOut(Out):
    """Between what and what a figure lies."""

    low: float
    high: float


class CostOut(Out):
    """US dollars at the least and at the most, and the price they come from."""

    low: Usd
    high: Usd
    price: PriceOut


class DeadlinesOut(Out):
    """Days from which on something is over; null where none was told."""

    creation_closes_at: date | None
    training_ends_at: date | None
    serving_ends_at: date | None


class QuoteOut(Out):
    """One platform."""

    provider: str
    base_model: str
    configured: bool = Field(description="Whether its credentials and options are set here.")
    fits: bool
    reasons: list[RemarkOut] = Field(description="Why it cannot be done there now.")
    examples: int | None
    tokens: int | None = Field(description="Of one epoch.")
    token_measure: TokenMeasureOut | None
    losses: int | None = Field(description="How much the platform's form cannot carry.")
    epochs: RangeOut | None
    trained_tokens: RangeOut | None
    cost_usd: CostOut | None = Field(description="Of the training; null where no price is known.")
    hosting_usd_per_hour: Usd | None = Field(
        description="What the tuned model costs while it is deployed; null where none is named."
    )
    duration_seconds: RangeOut | None = Field(
        description="From finished trainings of this base model here; null before the first."
    )
    deadlines: DeadlinesOut
    note: str | None


class SideBySideOut(Out):
    """The platforms side by side."""

    dataset: DatasetOut
    method: str
    data: list[QuoteOut]


@router.post(
    "",
    operation_id="create_quote",
    summary="Compare platforms for a dataset",
    response_model=SideBySideOut,
    responses=responses(404, 422),
)
async def create_quote(use: Use, body: QuoteIn) -> Response:
    """Fit, tokens, cost, duration and deadlines on every platform; nothing is sent or spent."""
    method = Method(body.method, body.hyperparameters)
    compared = await use.quotes.compare(body.dataset, method, _targets(body))
    return answer(SideBySideOut.model_validate(_compared(compared, use.providers)))


def _targets(body: QuoteIn) -> list[QuoteTarget] | None:
    if body.targets is None:
        return None
    return [QuoteTarget(one.provider, one.base_model) for one in body.targets]


def _compared(compared: SideBySide, providers: Mapping[str, Provider]) -> dict[str, Any]:
    return {
        "dataset": compared.dataset,
        "method": compared.method.type,
        "data": [shown(quote, providers[quote.provider]) for quote in compared.quotes],
    }


def shown(quote: Quote, provider: Provider) -> dict[str, Any]:
    """One platform as it goes over the wire."""
    base, compilation = quote.base_model, quote.compilation
    return {
        "provider": quote.provider,
        "base_model": base.name,
        "configured": not provider.missing,
        "fits": quote.fits,
        "reasons": quote.reasons,
        "examples": compilation and compilation.examples,
        "tokens": compilation and compilation.tokens,
        "token_measure": compilation and compilation.measure,
        "losses": compilation and compilation.losses.count,
        "epochs": quote.epochs,
        "trained_tokens": _rounded(quote.trained_tokens),
        "cost_usd": quote.cost,
        "hosting_usd_per_hour": hosting_price(base.prices),
        "duration_seconds": _rounded(quote.seconds),
        "deadlines": {
            "creation_closes_at": provider.creation.closes_at,
            "training_ends_at": base.training_ends_at,
            "serving_ends_at": base.serving_ends_at,
        },
        "note": base.note,
    }


def _rounded(span: Span | None) -> Span | None:
    return None if span is None else Span(round(span.low), round(span.high))
