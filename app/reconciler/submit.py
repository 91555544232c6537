"""The submit chore: one attempt, one creation at the provider, whatever crashes.

The intent is committed before the call. After an answer was lost the job settles, and a look-up
decides between adopting what was created and creating it now.
"""

import asyncio
from functools import partial

from app.domain.decide import (
    SubmitStep,
    after_drop,
    after_lost_look_up,
    after_lost_outcome,
    after_refusal,
    after_refused_look,
    after_submission,
    intend,
    next_submit_step,
    seconds_to_settle,
)
from app.domain.errors import DatasetNotFound, Later, ModelNotFound, Never, Steer, YourTurn
from app.domain.jobs import Desired, Job
from app.domain.provider import Provider, TrainingPlan
from app.reconciler import accidents, work
from app.reconciler.versions import versions_of
from app.reconciler.work import Claimed, Workshop
from app.storage import datasets, models
from app.storage.jobs import JobRow
from app.storage.queues import AWAITS_CREATION, AWAITS_LOOK_UP
from app.storage.sources import StoredExamples, two_sides
from app.telemetry.calls import vendor_call

SEND_WITHIN_SECONDS = 5.0
"""How old an intent may be when it is carried out; what settles is counted from the intent."""


async def tick(shop: Workshop, name: str) -> int:
    """Submit due jobs of one provider, each project's oldest first; how many were looked at."""
    provider = shop.providers[name]
    # Asked before anything is claimed, for it may break.
    slots = await provider.free_slots()
    advance = partial(_advance, shop, provider)
    settling = await accidents.handle_due(shop, name, AWAITS_LOOK_UP, advance)
    fresh = await accidents.handle_due(
        shop,
        name,
        AWAITS_CREATION,
        advance,
        claim=lambda limit: work.claim_in_turn(shop, name, limit=limit),
        limit=work.BATCH if slots is None else min(work.BATCH, slots),
    )
    return settling + fresh


async def _advance(shop: Workshop, provider: Provider, claimed: Claimed) -> None:
    job, settle = claimed.job, provider.spec.settle_seconds
    match next_submit_step(job, claimed.now, settle_seconds=settle):
        case SubmitStep.DROP:
            await work.write(shop, claimed, after_drop(job, claimed.now))
        case SubmitStep.WAIT:
            wait = seconds_to_settle(job, claimed.now, settle_seconds=settle)
            await accidents.wait(shop, claimed, seconds=wait)
        case SubmitStep.LOOK_UP:
            await _look_up(shop, provider, claimed)
        case SubmitStep.CREATE:
            await _create(shop, provider, claimed)


async def _look_up(shop: Workshop, provider: Provider, claimed: Claimed) -> None:
    job = claimed.job
    try:
        with vendor_call(job.provider, "find"):
            async with asyncio.timeout(provider.spec.create_timeout_seconds):
                found = await provider.find(job.submission_key)
    except (Later, YourTurn) as said:
        await work.heed(shop, job.provider, said)
        await work.write(shop, claimed, after_refused_look(job, said, claimed.now))
        return
    except Exception as error:  # noqa: BLE001 - whatever it was, nothing is known: look again
        _note_lost(job, error)
        await work.write(shop, claimed, after_lost_look_up(job, chance=shop.chance))
        return
    if found is not None:
        adopted = after_submission(job, found, claimed.now, adopted=True)
        await work.write(shop, claimed, adopted)
    elif job.desired is Desired.CANCEL:
        await work.write(shop, claimed, after_drop(job, claimed.now))
    else:
        await _create(shop, provider, claimed)


async def _create(shop: Workshop, provider: Provider, claimed: Claimed) -> None:
    try:
        plan = await _plan(shop, claimed.job)
    except Never as said:
        await work.write(shop, claimed, after_refusal(claimed.job, said, claimed.now))
        return
    intent = intend(claimed.job, claimed.now, versions=versions_of(provider.spec))
    if not await work.write(shop, claimed, intent, keep_lease=True):
        return
    job = claimed.job
    try:
        async with work.held(shop, JobRow, job.id, job.epoch):
            _refuse_to_send_late(claimed)
            with vendor_call(job.provider, "submit"):
                async with asyncio.timeout(provider.spec.create_timeout_seconds):
                    remote = await provider.submit(plan)
    except Steer as said:
        await work.heed(shop, job.provider, said)
        await work.write(shop, claimed, after_refusal(job, said, claimed.now))
    except Exception as error:  # noqa: BLE001 - whatever it was, the outcome is unknown
        await _write_lost(shop, provider, claimed, error)
    else:
        done = after_submission(job, remote, claimed.now, adopted=False)
        await work.write(shop, claimed, done)


def _refuse_to_send_late(claimed: Claimed) -> None:
    """A process that stood still since its intent may not be the only one at work any more."""
    late = claimed.now - (claimed.job.intent_at or 0) > SEND_WITHIN_SECONDS * 1000
    if late:
        raise Later("The service stood still before it could submit the job.", retry_after=0)


async def _write_lost(
    shop: Workshop, provider: Provider, claimed: Claimed, error: Exception
) -> None:
    problem = _note_lost(claimed.job, error)
    settle = provider.spec.settle_seconds
    lost = after_lost_outcome(claimed.job, problem, settle_seconds=settle, chance=shop.chance)
    await work.write(shop, claimed, lost)


def _note_lost(job: Job, error: Exception) -> str:
    problem = work.problem_of(error)
    work.log.warning("outcome_unknown", job=job.id, problem=problem, exc_info=error)
    return problem


async def _plan(shop: Workshop, job: Job) -> TrainingPlan:
    """All that the provider needs; raises `Never` where something of it was removed."""
    if job.dataset is None:
        # A second attempt of an imported job is refused where it is asked for.
        raise Never("The job was imported without its dataset.", code="dataset_not_found")
    try:
        async with shop.database.read() as connection:
            dataset = await datasets.get(connection, job.dataset.id)
            validation = job.validation_dataset and await datasets.get(
                connection, job.validation_dataset.id
            )
            parent = job.parent_model_id and await models.get(connection, job.parent_model_id)
    except (DatasetNotFound, ModelNotFound) as error:
        raise Never(
            error.detail, code=error.code, hint="Upload it again and create a new job."
        ) from error
    training, held_out = StoredExamples(shop.blobs, dataset.sha256, dataset.examples), None
    if job.validation_split:
        training, held_out = two_sides(shop.blobs, dataset, job.validation_split, job.seed)
    if validation:
        held_out = StoredExamples(shop.blobs, validation.sha256, validation.examples)
    return TrainingPlan(
        key=job.submission_key,
        base_model=job.base_model,
        parent_artifact=parent.artifact if parent else None,
        method=job.method,
        seed=job.seed,
        name=job.name,
        training=training,
        validation=held_out,
    )
