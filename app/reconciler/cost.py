"""What trainings and evaluations cost by the price list: against the budget, and in the ledger."""

import asyncio
from decimal import Decimal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.budget import capped
from app.domain.decide import Decision
from app.domain.errors import LuthierError
from app.domain.jobs import Job, Millis
from app.domain.ledger import Entry, of_evaluation, of_surplus, of_training
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
    return capped(job, decision, _in_all(job, await _spent(shop, job, seen.trained_tokens, now)))


async def at_the_end(shop: Workshop, job: Job, seen: Observation | None, now: Millis) -> Job:
    """The job with what the attempt that ended has cost as well; as it is where nobody knows."""
    actual = _in_all(job, await _spent(shop, job, seen and _tokens(seen), now))
    cost = msgspec.structs.replace(job.cost, actual_usd=actual)
    return job if actual is None else msgspec.structs.replace(job, cost=cost)


async def book_training(connection: AsyncConnection, job: Job) -> None:
    """Write into the ledger what the training has cost."""
    await ledger.put(connection, of_training(job))


async def of_second_creation(shop: Workshop, job: Job, seen: Observation, now: Millis) -> Entry:
    """The ledger's line of a training that nobody wanted and that has ended."""
    # Nobody watched it, so that nobody knows its hours.
    actual = await _priced(shop, job, _tokens(seen), seconds=None)
    return of_surplus(job, seen.remote.id, at=now, actual=actual)


async def book_evaluation(connection: AsyncConnection, evaluation_id: str) -> None:
    """Write into the ledger what an evaluation has cost; nothing where no price is known."""
    evaluation = await evaluations.get(connection, evaluation_id)
    if evaluation.cost_usd is None:
        return
    job = evaluation.job_id and await jobs.find(connection, evaluation.job_id)
    await ledger.put(connection, of_evaluation(evaluation, job.tags if job else {}))


def _tokens(seen: Observation) -> int | None:
    return seen.artifact.trained_tokens if seen.artifact else seen.trained_tokens


def _in_all(job: Job, spent: Decimal | None) -> Decimal | None:
    """With what earlier attempts have cost, which nobody gives back."""
    return None if spent is None else spent + (job.cost.actual_usd or 0)


async def _spent(shop: Workshop, job: Job, tokens: int | None, now: Millis) -> Decimal | None:
    seconds = 0.0
    if job.started_at is not None:
        # An imported job may have ended long before it was first seen here.
        seconds = ((job.finished_at or now) - job.started_at) / 1000
    return await _priced(shop, job, tokens, seconds)


async def _priced(
    shop: Workshop, job: Job, tokens: int | None, seconds: float | None
) -> Decimal | None:
    try:
        base = await asyncio.to_thread(shop.providers[job.provider].base_model, job.base_model)
    except LuthierError:
        # A base model that is known no longer has no price either.
        return None
    return actual_cost(base, job.method.type, tokens=tokens, seconds=seconds)
