"""A comparison: one recipe trained on several targets under one budget, and what came of each."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

import msgspec

from app.domain.access import DEFAULT_PROJECT
from app.domain.datasets import DatasetRef
from app.domain.errors import Fault, OverBudget
from app.domain.evaluations import EvaluationError, Interval
from app.domain.jobs import Method, Millis
from app.domain.migrations import Note

_CENT = Decimal("0.01")


class ComparisonStatus(StrEnum):
    """Where a comparison stands."""

    TRAINING = "training"
    EVALUATING = "evaluating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (ComparisonStatus.TRAINING, ComparisonStatus.EVALUATING)


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """One target, the job that trains there, and how the recipe was translated for it."""

    provider: str
    base_model: str
    job_id: str
    notes: list[Note]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; what nobody knows is None.

    `quality` is the mean of the first metric, `latency_p50` counts seconds, amounts are US dollars.
    """

    provider: str
    base_model: str
    job_id: str | None
    """None for a base model as it is."""

    model: str | None = None
    quality: float | None = None
    interval: Interval | None = None
    examples: int = 0
    training_usd: Decimal | None = None
    evaluation_usd: Decimal | None = None
    latency_p50: float | None = None
    is_pareto: bool = False
    reason: str | None = None
    """Why there is no model, or nothing measured of it."""

    @property
    def cost_usd(self) -> Decimal | None:
        """What the training and its answers came to."""
        if self.training_usd is None or self.evaluation_usd is None:
            return None
        return self.training_usd + self.evaluation_usd


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison as the database keeps it; times are `Millis`."""

    id: str
    project_id: str = DEFAULT_PROJECT
    key_id: str | None = None
    name: str | None
    tags: dict[str, str] = {}
    dataset: DatasetRef
    held_out: DatasetRef
    metrics: list[str]
    """The first decides."""

    method: Method
    """As it was asked for, before it was translated."""

    include_bases: bool = False
    budget_usd: Decimal | None = None
    contenders: list[Contender]
    evaluation_id: str | None = None
    standings: list[Standing] = []
    status: ComparisonStatus = ComparisonStatus.TRAINING
    error: EvaluationError | None = None
    accidents: int = 0
    epoch: int = 0
    created_at: Millis
    finished_at: Millis | None = None


def caps(quoted: Sequence[Decimal | None], budget: Decimal) -> list[Decimal | None]:
    """Each training's share of one budget, in proportion to its quote; None for what is free.

    Raises `OverBudget` where the quotes together are above it, or one is not known.
    """
    known = [usd for usd in quoted if usd is not None]
    if len(known) < len(quoted):
        faults = [
            Fault("cost_unknown", "no price is known", f"/targets/{number}")
            for number, usd in enumerate(quoted)
            if usd is None
        ]
        raise OverBudget(
            "Nobody knows what some targets cost: set their prices in the operator's catalogue, "
            "leave them out, or leave budget_usd out.",
            faults=faults,
        )
    total = sum(known, Decimal(0))
    if total > budget:
        raise OverBudget(
            f"The trainings may cost {total} USD together, which is over the budget of {budget}. "
            "Choose fewer targets, train fewer epochs or examples, or raise the budget.",
            faults=[Fault("over_budget", f"quoted at up to {total} USD", "/budget_usd")],
        )
    return [(usd * budget / total).quantize(_CENT, ROUND_FLOOR) if usd else None for usd in known]
