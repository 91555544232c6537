"""The cap on a running training: one whose cost has reached the job's budget is cancelled."""

from dataclasses import replace
from decimal import Decimal

from app.domain.decide import Decision
from app.domain.jobs import Desired, Event, Job, JobStatus


def capped(job: Job, decision: Decision, spent: Decimal | None) -> Decision:
    """The decision, with the wish to cancel where what was spent has reached the budget."""
    budget = job.cost.budget_usd
    if budget is None or spent is None or spent < budget:
        return decision
    status = decision.changes.get("status", job.status)
    if JobStatus(status).is_final or job.desired is Desired.CANCEL:
        return decision
    wish = {"desired": Desired.CANCEL, "status": JobStatus.CANCELLING}
    told = Event("job.budget_reached", {"accounted_usd": str(spent), "budget_usd": str(budget)})
    return replace(decision, changes={**decision.changes, **wish}, events=(*decision.events, told))
