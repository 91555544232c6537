"""The table: who is beaten by nobody, and what a budget comes to for each."""

from decimal import Decimal

import pytest

from app.domain.comparisons import Comparison, Contender, caps
from app.domain.datasets import DatasetRef
from app.domain.errors import OverBudget
from app.domain.evaluations import Candidate, Evaluation, Score
from app.domain.jobs import Job, JobCost, JobStatus, Method
from app.domain.standings import Spending, standings

REF = DatasetRef("ds_1", "echo", 1)

Figures = tuple[float | None, str | None, float]
"""Quality, training cost and latency."""


def pareto(*figures: Figures, metric: str = "exact_match") -> list[bool]:
    """Which of these are beaten by nobody."""
    names = [f"model_{number}" for number in range(len(figures))]
    comparison = Comparison(
        id="cmp_1",
        name=None,
        dataset=REF,
        held_out=REF,
        metrics=[metric],
        method=Method("sft"),
        contenders=[
            Contender(provider="any", base_model="base", job_id=name, notes=[]) for name in names
        ],
        created_at=0,
    )
    jobs = {name: _job(name, usd) for name, (_, usd, _) in zip(names, figures, strict=True)}
    models = {name: Candidate(name, "any", "base", name) for name in names}
    evaluation = Evaluation(
        id="eval_1",
        dataset=REF,
        candidates=list(models.values()),
        metrics=[metric],
        scores=[
            Score(name, metric, quality, None, 12)
            for name, (quality, _, _) in zip(names, figures, strict=True)
        ],
        created_at=0,
    )
    spending = {
        name: Spending(seconds=[seconds, seconds, 99.0])
        for name, (_, _, seconds) in zip(names, figures, strict=True)
    }
    return [row.is_pareto for row in standings(comparison, jobs, models, evaluation, spending)]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([(0.9, "1", 1.0), (0.8, "2", 2.0)], [True, False]),
        ([(0.9, "2", 1.0), (0.8, "1", 1.0)], [True, True]),
        ([(0.9, "1", 1.0), (0.9, "1", 1.0)], [True, True]),
        ([(0.9, "1", 1.0), (0.9, "1", 2.0)], [True, False]),
        ([(0.9, None, 1.0), (0.8, "1", 2.0)], [True, True]),
        ([(0.9, None, 1.0), (0.8, None, 2.0)], [True, False]),
        ([(None, "1", 1.0), (0.1, "9", 9.0)], [False, True]),
    ],
)
def test_who_is_beaten_by_nobody(figures: list[Figures], expected: list[bool]) -> None:
    assert pareto(*figures) == expected


def test_less_is_better_for_some_metrics() -> None:
    assert pareto((0.9, "1", 1.0), (0.2, "1", 1.0), metric="latency") == [False, True]


def test_a_budget_is_shared_in_proportion_and_never_exceeded() -> None:
    quoted = [Decimal("1.00"), Decimal("2.00"), Decimal("0.00")]
    shares = caps(quoted, Decimal("10.00"))
    assert shares == [Decimal("3.33"), Decimal("6.66"), None]
    assert caps(quoted, Decimal("3.00")) == [Decimal("1.00"), Decimal("2.00"), None]


def test_a_budget_that_is_too_small_is_refused() -> None:
    with pytest.raises(OverBudget, match="over the budget"):
        caps([Decimal("1.00"), Decimal("2.00")], Decimal("2.99"))
    with pytest.raises(OverBudget) as refused:
        caps([Decimal("1.00"), None], Decimal("9.00"))
    assert [fault.pointer for fault in refused.value.faults] == ["/targets/1"]


def _job(name: str, usd: str | None) -> Job:
    return Job(
        id=name,
        name=None,
        provider="any",
        base_model="base",
        dataset=REF,
        method=Method("sft"),
        seed=1,
        status=JobStatus.SUCCEEDED,
        tuned_model_id=name,
        cost=JobCost(actual_usd=None if usd is None else Decimal(usd)),
        created_at=0,
    )
