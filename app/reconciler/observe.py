"""The observe chore: look at running jobs, tell what was seen, let tuned models be born."""

import asyncio
from dataclasses import replace
from functools import partial

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.decide import (
    Decision,
    after_observation,
    after_probe_refusal,
    after_refused_look,
    after_silence,
)
from app.domain.errors import Later, Never, YourTurn
from app.domain.files import File, Purpose
from app.domain.jobs import Job, JobStatus
from app.domain.models import TunedModel
from app.domain.provider import Artifact, Observation, RemoteState
from app.domain.results import MOST_POINTS, results_csv
from app.reconciler import accidents, cost, promote, work
from app.reconciler.work import Claimed, Workshop
from app.storage import files, job_series, models
from app.storage.ids import new_id
from app.storage.jobs import JobRow
from app.storage.queues import AWAITS_OBSERVATION
from app.storage.signals import WORK_DUE
from app.telemetry.calls import vendor_call

TIMEOUT_SECONDS = 60.0
"""No answer by then is silence."""

PROBE_TIMEOUT_SECONDS = 900.0
"""The same for a model that has to be loaded before it answers."""


async def tick(shop: Workshop, name: str) -> int:
    """Look at due jobs of one provider; how many were looked at."""
    return await accidents.handle_due(shop, name, AWAITS_OBSERVATION, partial(look, shop))


async def look(shop: Workshop, claimed: Claimed) -> None:
    """Observe one job under lease and write what follows."""
    job, provider = claimed.job, shop.providers[claimed.job.provider]
    assert job.remote is not None
    try:
        async with work.held(shop, JobRow, job.id, job.epoch):
            with vendor_call(job.provider, "observe"):
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    seen = await provider.observe(job.remote, job.cursor)
            refusal = await _refused_probe(shop, job.provider, seen)
    except (Later, Never, YourTurn) as said:
        await work.heed(shop, job.provider, said)
        await work.write(shop, claimed, after_refused_look(job, said, claimed.now))
    except Exception as error:  # noqa: BLE001 - unreachable is not failed
        problem = work.problem_of(error)
        work.log.warning("provider_silent", job=job.id, problem=problem, exc_info=error)
        silence = after_silence(job, problem, claimed.now, chance=shop.chance)
        await work.write(shop, claimed, silence)
    else:
        decision = _judge(claimed, seen, refusal)
        decision = await cost.held_to_budget(shop, job, decision, seen, claimed.now)
        await _write(shop, claimed, decision)


async def _refused_probe(shop: Workshop, name: str, seen: Observation) -> Never | None:
    """A success counts only once the artefact has loaded and answered."""
    if seen.state is not RemoteState.SUCCEEDED or seen.artifact is None:
        return None
    try:
        with vendor_call(name, "probe"):
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                await shop.providers[name].probe(seen.artifact)
    except Never as said:
        return said
    return None


def _judge(claimed: Claimed, seen: Observation, refusal: Never | None) -> Decision:
    if refusal is not None:
        return after_probe_refusal(claimed.job, seen, refusal, claimed.now)
    return after_observation(claimed.job, seen, claimed.now)


async def _write(shop: Workshop, claimed: Claimed, decision: Decision) -> None:
    if decision.artifact is None:
        await _write_without_model(shop, claimed, decision)
        return
    model = await _known(shop, _born(claimed.job, decision.artifact, claimed.now))
    wanted = claimed.job

    async def also(connection: AsyncConnection) -> None:
        await models.put(connection, model)
        await cost.book_training(connection, paid)
        await _add_results(connection, wanted, claimed.now)
        if wanted.evaluate is not None:
            await promote.queue_evaluation(connection, wanted, model, claimed.now)

    paid = await cost.at_the_end(shop, wanted, decision.observation, claimed.now)
    paid = msgspec.structs.replace(paid, tuned_model_id=model.id)
    changes = {**decision.changes, "tuned_model_id": model.id, "cost": paid.cost}
    await work.write(shop, claimed, replace(decision, changes=changes), also=also)
    shop.signals.send(WORK_DUE)


async def _write_without_model(shop: Workshop, claimed: Claimed, decision: Decision) -> None:
    """What was trained until another end is paid as well, where it is known how much."""
    status = JobStatus(decision.changes.get("status", claimed.job.status))
    paid = claimed.job
    if status.is_final:
        paid = await cost.at_the_end(shop, claimed.job, decision.observation, claimed.now)
    if paid is claimed.job:
        await work.write(shop, claimed, decision)
        return
    changes = {**decision.changes, "cost": paid.cost}

    async def also(connection: AsyncConnection) -> None:
        await cost.book_training(connection, paid)

    await work.write(shop, claimed, replace(decision, changes=changes), also=also)


async def _known(shop: Workshop, born: TunedModel) -> TunedModel:
    """The model under the id that it has here, where it was imported before its job was."""
    async with shop.database.read() as connection:
        before = await models.find_artifact(connection, born.provider, born.artifact)
    return born if before is None else msgspec.structs.replace(born, id=before.id)


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
        base=artifact.base,
        trained_tokens=artifact.trained_tokens,
        created_at=now,
    )


async def _add_results(connection: AsyncConnection, job: Job, now: int) -> None:
    """The file that holds what the training measured, which is final with the job."""
    points = await job_series.metrics_after(connection, job, -1, MOST_POINTS)
    results = File(
        id=new_id("file", separator="-"),
        filename="step_metrics.csv",
        purpose=Purpose.RESULTS,
        bytes=len(results_csv(points)),
        job_id=job.id,
        created_at=now,
    )
    await files.add(connection, results)
