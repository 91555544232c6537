"""The observe chore: look at running jobs, tell what was seen, let tuned models be born."""

import asyncio
from dataclasses import replace

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.decide import (
    Decision,
    after_observation,
    after_probe_refusal,
    after_refused_look,
    after_silence,
)
from app.domain.errors import Later, LuthierError, Never, YourTurn
from app.domain.evaluations import Candidate, Evaluation
from app.domain.jobs import Job, JobCost
from app.domain.models import TunedModel
from app.domain.provider import Artifact, Observation, Provider
from app.domain.quotes import actual_cost
from app.reconciler import work
from app.reconciler.work import Claimed, Workshop
from app.storage import datasets, evaluations, models
from app.storage.ids import new_id
from app.storage.jobs import AWAITS_OBSERVATION, JobRow
from app.storage.signals import WORK_DUE

TIMEOUT_SECONDS = 60.0
"""No answer by then is silence."""


async def tick(shop: Workshop, name: str) -> int:
    """Look at due jobs of one provider; how many were looked at."""
    claimed = await work.claim(shop, name, AWAITS_OBSERVATION)
    await asyncio.gather(*(look(shop, job) for job in claimed))
    return len(claimed)


async def look(shop: Workshop, claimed: Claimed) -> None:
    """Observe one job under lease and write what follows."""
    job, provider = claimed.job, shop.providers[claimed.job.provider]
    assert job.remote is not None
    try:
        async with work.held(shop, JobRow, job.id, job.epoch):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                seen = await provider.observe(job.remote, job.cursor)
            decision = await _judge(provider, claimed, seen)
    except (Later, Never, YourTurn) as said:
        await work.heed(shop, job.provider, said)
        await work.write(shop, claimed, after_refused_look(job, said, claimed.now))
    except Exception as error:  # noqa: BLE001 - unreachable is not failed
        problem = f"{type(error).__name__}: {error}"[:300]
        work.log.warning("provider_silent", job=job.id, problem=problem, exc_info=error)
        silence = after_silence(job, problem, claimed.now, chance=shop.chance)
        await work.write(shop, claimed, silence)
    else:
        await _write(shop, claimed, decision)


async def _judge(provider: Provider, claimed: Claimed, seen: Observation) -> Decision:
    """What follows; a success counts only once the artefact has loaded and answered."""
    decision = after_observation(claimed.job, seen, claimed.now)
    if decision.artifact is None:
        return decision
    try:
        await provider.probe(decision.artifact)
    except Never as said:
        return after_probe_refusal(claimed.job, seen, said, claimed.now)
    return decision


async def _write(shop: Workshop, claimed: Claimed, decision: Decision) -> None:
    if decision.artifact is None:
        await work.write(shop, claimed, decision)
        return
    model = _born(claimed.job, decision.artifact, claimed.now)
    wanted = claimed.job

    async def also(connection: AsyncConnection) -> None:
        await models.add(connection, model)
        if wanted.evaluate is not None:
            await _add_evaluation(connection, wanted, model, claimed.now)

    cost = await asyncio.to_thread(_cost, shop, wanted, decision.artifact, claimed.now)
    changes = {**decision.changes, "tuned_model_id": model.id, "cost": cost}
    await work.write(shop, claimed, replace(decision, changes=changes), also=also)
    shop.signals.send(WORK_DUE)


def _cost(shop: Workshop, job: Job, artifact: Artifact, now: int) -> JobCost:
    """What the finished training cost by the price list of its provider."""
    try:
        base = shop.providers[job.provider].base_model(job.base_model)
    except LuthierError:
        # A base model that is known no longer has no price either.
        return job.cost
    tokens, begun = artifact.trained_tokens, job.started_at
    actual = actual_cost(base, job.method.type, tokens=tokens, started=begun, finished=now)
    return msgspec.structs.replace(job.cost, actual_usd=actual)


def _born(job: Job, artifact: Artifact, now: int) -> TunedModel:
    return TunedModel(
        id=new_id("model"),
        name=job.name,
        provider=job.provider,
        base_model=job.base_model,
        parent_model_id=job.parent_model_id,
        job_id=job.id,
        dataset=job.dataset,
        method=job.method,
        effective=artifact.effective,
        kind=artifact.kind,
        artifact=artifact.handle,
        sha256=artifact.sha256,
        trained_tokens=artifact.trained_tokens,
        created_at=now,
    )


async def _add_evaluation(
    connection: AsyncConnection, job: Job, model: TunedModel, now: int
) -> None:
    assert job.evaluate is not None
    dataset = await datasets.get(connection, job.evaluate.dataset_id)
    base = Candidate(f"{job.provider}/{job.base_model}", job.provider, job.base_model)
    tuned = Candidate(model.id, model.provider, model.base_model, model.id)
    await evaluations.add(
        connection,
        Evaluation(
            id=new_id("eval"),
            dataset=dataset.ref,
            candidates=[base, tuned],
            metrics=job.evaluate.metrics,
            job_id=job.id,
            examples=dataset.examples,
            created_at=now,
        ),
    )
