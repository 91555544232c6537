"""The cap on a running training."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.budget import capped
from app.domain.datasets import DatasetRef
from app.domain.decide import Decision
from app.domain.jobs import Desired, Job, JobCost, JobStatus, Method


def running(**changes: Any) -> Job:
    """A job with a budget of ten dollars."""
    given: dict[str, Any] = {
        "status": JobStatus.RUNNING,
        "cost": JobCost(budget_usd=Decimal(10)),
    }
    return Job(
        id="job_1",
        name=None,
        provider="p",
        base_model="b",
        dataset=DatasetRef("ds_1", "echo", 1),
        method=Method("sft"),
        seed=1,
        created_at=0,
        **given | changes,
    )


def test_a_training_that_has_cost_its_budget_is_to_be_cancelled() -> None:
    decision = capped(running(), Decision({"observed_at": 1}), Decimal(10))
    assert decision.changes == {
        "observed_at": 1,
        "desired": Desired.CANCEL,
        "status": JobStatus.CANCELLING,
    }
    assert [(event.type, event.data["accounted_usd"]) for event in decision.events] == [
        ("job.budget_reached", "10")
    ]


@pytest.mark.parametrize(
    ("job", "changes", "spent"),
    [
        (running(), {}, Decimal("9.99")),
        (running(), {}, None),
        (running(cost=JobCost()), {}, Decimal(99)),
        (running(desired=Desired.CANCEL), {}, Decimal(99)),
        (running(), {"status": JobStatus.SUCCEEDED}, Decimal(99)),
    ],
)
def test_other_trainings_go_on(job: Job, changes: dict[str, Any], spent: Decimal | None) -> None:
    decision = Decision(changes)
    assert capped(job, decision, spent) is decision
