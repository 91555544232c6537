"""What trainings and evaluations cost by the price list: against the budget, and in the ledger."""

import asyncio
from decimal import Decimal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.budget import capped
from app.domain.decide import Decision
from app.domain.errors import LuthierError
from app.domain.jobs import Job, JobStatus, Millis
from app.domain.ledger import of_evaluation, of_training
from app.domain.provider import Observation, Operation
from app.domain.quotes import actual_cost
from app.reconciler.work import Workshop
from app.storage import evaluations, jobs, ledger


async def held_to_budget(
    shop: Workshop, job: Job, decision: Decision, seen: Observation, now: Millis
) -> Decision:
    """The decision, and the wish to cancel where the training has cost its budget by now."""
    can_cancel = Operation.CANCEL in shop.providers[job.provider].spec.operations
    if job.cost.budget_usd is None or not can_cancel:
        return decision
    return capped(job, decision, await _spent(shop, job, seen.trained_tokens, now))


async def at_the_end(shop: Workshop, job: Job, tokens: int | None, now: Millis) -> Job:
    """The job with what its training cost; as it is where that cannot be known."""
    actual = await _spent(shop, job, tokens, now)
    cost = msgspec.structs.replace(job.cost, actual_usd=actual)
    return job if actual is None else msgspec.structs.replace(job, cost=cost)


def is_paid(decision: Decision) -> bool:
    """Whether the training is over and what was trained has to be paid."""
    return decision.changes.get("status") in (JobStatus.SUCCEEDED, JobStatus.CANCELLED)


async def book_training(connection: AsyncConnection, job: Job) -> None:
    """Write into the ledger what the training has cost."""
    await ledger.put(connection, of_training(job))


async def book_evaluation(connection: AsyncConnection, evaluation_id: str) -> None:
    """Write into the ledger what an evaluation has cost; nothing where no price is known."""
    evaluation = await evaluations.get(connection, evaluation_id)
    if evaluation.cost_usd is None:
        return
    job = evaluation.job_id and await jobs.find(connection, evaluation.job_id)
    await ledger.put(connection, of_evaluation(evaluation, job.tags if job else {}))


async def _spent(shop: Workshop, job: Job, tokens: int | None, now: Millis) -> Decimal | None:
    try:
        base = await asyncio.to_thread(shop.providers[job.provider].base_model, job.base_model)
    except LuthierError:
        # A base model that is known no longer has no price either.
        return None
    begun = job.started_at
    return actual_cost(base, job.method.type, tokens=tokens, started=begun, finished=now)
