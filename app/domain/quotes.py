"""What a training would cost and how long it would take, from counts and a price list."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec

from app.domain.catalogue import BaseModel, Price, PriceUnit
from app.domain.compiling import Compilation
from app.domain.errors import Fault, OverBudget
from app.domain.jobs import JobCost
from app.domain.provider import Epochs

MILLION = 1_000_000
_CENT = Decimal("0.01")


class Span(msgspec.Struct, frozen=True):
    """Between what and what a figure lies."""

    low: float
    high: float


class Cost(msgspec.Struct, frozen=True):
    """US dollars, at the least and at the most, with the price that was taken."""

    low: Decimal
    high: Decimal
    price: Price


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """One platform's row in the comparison."""

    provider: str
    base_model: BaseModel
    reasons: list[Fault] = []
    """Why it cannot be done there; none when it can."""

    compilation: Compilation | None = None
    epochs: Epochs | None = None
    trained_tokens: Span | None = None
    cost: Cost | None = None
    seconds: Span | None = None
    """From finished trainings of this base model here; None where there were none."""

    @property
    def fits(self) -> bool:
        return not self.reasons


class Pace(msgspec.Struct, frozen=True):
    """How long one finished training took for how many tokens."""

    tokens: int
    seconds: float


def trained_tokens(compilation: Compilation, epochs: Epochs) -> Span:
    """Tokens seen over all epochs; an estimate is widened by its measured error."""
    off_by = compilation.measure.off_by
    return Span(
        compilation.tokens * epochs.low * (1 - off_by),
        compilation.tokens * epochs.high * (1 + off_by),
    )


def training_cost(
    base: BaseModel, method: str, *, tokens: Span, seconds: Span | None = None
) -> Cost | None:
    """What the training costs; None where no price is known, or hours are paid and unknown."""
    by_tokens = _price(base.prices, PriceUnit.TRAINING_TOKENS, method)
    if by_tokens is not None:
        return _cost(by_tokens, Span(tokens.low / MILLION, tokens.high / MILLION))
    by_hours = _price(base.prices, PriceUnit.TRAINING_HOURS, method)
    if by_hours is None:
        return None
    if by_hours.usd == 0:
        return Cost(Decimal("0.00"), Decimal("0.00"), by_hours)
    if seconds is None:
        return None
    return _cost(by_hours, Span(seconds.low / 3600, seconds.high / 3600))


def actual_cost(
    base: BaseModel, method: str, *, tokens: int | None, seconds: float | None
) -> Decimal | None:
    """What a finished training cost by the price list; None where that cannot be known."""
    by_tokens = _price(base.prices, PriceUnit.TRAINING_TOKENS, method)
    if by_tokens is not None and tokens is None:
        return None
    seen = float(tokens or 0)
    spent = None if seconds is None else Span(seconds, seconds)
    cost = training_cost(base, method, tokens=Span(seen, seen), seconds=spent)
    return None if cost is None else cost.high


def duration(paces: Sequence[Pace], tokens: Span) -> Span | None:
    """From the fastest and the slowest that were seen."""
    rates = [pace.tokens / pace.seconds for pace in paces if pace.tokens and pace.seconds > 0]
    if not rates:
        return None
    return Span(tokens.low / max(rates), tokens.high / min(rates))


def within_budget(quote: Quote, budget: Decimal | None) -> JobCost:
    """What the job may cost; raises `OverBudget`."""
    low, high = (quote.cost.low, quote.cost.high) if quote.cost else (None, None)
    if budget is not None and high is None:
        raise OverBudget(
            f"Nobody knows what {quote.base_model.name} costs at {quote.provider}: set its price "
            "in the operator's catalogue, or leave budget_usd out.",
            faults=[Fault("cost_unknown", "no price is known", "/budget_usd")],
        )
    if budget is not None and high is not None and high > budget:
        raise OverBudget(
            f"The training may cost {low} to {high} USD, which is over the budget of {budget}. "
            "Train fewer epochs or examples, choose another base model, or raise the budget.",
            faults=[Fault("over_budget", f"quoted at up to {high} USD", "/budget_usd")],
        )
    return JobCost(quoted_low_usd=low, quoted_usd=high, budget_usd=budget)


def _price(prices: Sequence[Price], unit: PriceUnit, method: str) -> Price | None:
    """The price of the usual tier, the one for this very method first."""
    fitting = [one for one in prices if one.unit is unit and one.tier is None]
    named = [one for one in fitting if one.method == method]
    general = [one for one in fitting if one.method is None]
    return next(iter((*named, *general)), None)


def _cost(price: Price, units: Span) -> Cost:
    low, high = (price.usd * Decimal(repr(number)) for number in (units.low, units.high))
    return Cost(low.quantize(_CENT, ROUND_FLOOR), high.quantize(_CENT, ROUND_CEILING), price)
