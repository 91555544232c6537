"""Promotion: the evaluation that a job brings, and the alias that moves once it has ended well."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.aliases import (
    Alias,
    AliasDecision,
    DecisionKind,
    Ruling,
    is_same,
    make,
    move,
    promotion_gate,
    rule,
)
from app.domain.errors import DatasetNotFound, ModelNotFound
from app.domain.evaluations import Candidate, Evaluation, Gate, Guard
from app.domain.jobs import Event, Job, Millis
from app.domain.migrations import Baseline
from app.domain.models import TunedModel
from app.storage import aliases, answers, datasets, evaluations, jobs, models
from app.storage.ids import new_id


async def queue_evaluation(
    connection: AsyncConnection, job: Job, model: TunedModel, now: Millis
) -> None:
    """Let the new model be compared with what it is to replace, under the gate for that."""
    assert job.evaluate is not None
    baseline, gate = await _compared_with(connection, job)
    candidates = [baseline, _candidate(model)]
    dataset = await datasets.get(connection, job.evaluate.dataset_id)
    if gate is not None:
        gate = await _with_guards(connection, gate, candidates, now)
    needed = [] if gate is None else gate.metrics
    evaluation = Evaluation(
        id=new_id("eval"),
        dataset=dataset.ref,
        candidates=candidates,
        metrics=list(dict.fromkeys([*job.evaluate.metrics, *needed])),
        gate=gate,
        job_id=job.id,
        examples=dataset.examples,
        created_at=now,
    )
    await evaluations.add(connection, evaluation)
    if job.migration is not None:
        await _keep_answers(connection, job.migration.baseline, evaluation)


async def after_evaluation(connection: AsyncConnection, evaluation_id: str) -> None:
    """Move the alias that the evaluation's job is to promote to, or say why it stays.

    In the transaction that ends the evaluation; one that is scored anew decides nothing again.
    """
    evaluation = await evaluations.get(connection, evaluation_id)
    job = evaluation.job_id and await jobs.find(connection, evaluation.job_id)
    if not job or job.promote is None or job.tuned_model_id is None:
        return
    if await aliases.is_decided(connection, job.promote, by=job.id):
        return
    alias = await aliases.find(connection, job.promote, lock=True)
    wanted, ruling = await _ruling(connection, job, alias, evaluation)
    kind = "job.promoted" if ruling.passed else "job.not_promoted"
    told = {"alias": job.promote, "evaluation": evaluation.id, "reason": ruling.reason}
    await jobs.change(connection, job.id, {}, Event(kind, told))
    # Last, because a notice holds the one row that everybody waits for who has something to tell.
    await _decide(connection, job, alias, wanted, ruling, on=evaluation)


async def _compared_with(connection: AsyncConnection, job: Job) -> tuple[Candidate, Gate | None]:
    """What a migration planned; else what its alias means now, else its base model."""
    if job.migration is not None:
        return job.migration.baseline.candidate, job.migration.gate
    alias = None if job.promote is None else await aliases.find(connection, job.promote)
    if alias is not None:
        return alias.target, promotion_gate(alias.gate)
    return Candidate(f"{job.provider}/{job.base_model}", job.provider, job.base_model), None


async def _keep_answers(
    connection: AsyncConnection, baseline: Baseline, evaluation: Evaluation
) -> None:
    """Take over what the replaced model said while it answered, so that it is not asked."""
    if baseline.evaluation_id is None:
        return
    before = await evaluations.get(connection, baseline.evaluation_id)
    said = next(one for one in before.candidates if one.model_id == baseline.candidate.model_id)
    name = baseline.candidate.name
    copied = await answers.copy(
        connection, candidate=said.name, source=before.id, to=evaluation.id, name=name
    )
    errors = {name: before.errors[said.name]} if said.name in before.errors else {}
    await evaluations.note(connection, evaluation, answered=copied, errors=errors)


async def _ruling(
    connection: AsyncConnection, job: Job, alias: Alias | None, evaluation: Evaluation
) -> tuple[Candidate, Ruling]:
    assert job.tuned_model_id is not None
    try:
        wanted = _candidate(await models.get(connection, job.tuned_model_id))
    except ModelNotFound as error:
        gone = Candidate(job.tuned_model_id, job.provider, job.base_model, job.tuned_model_id)
        return gone, Ruling(False, error.detail)
    if job.migration is not None:
        if alias and not is_same(alias.target, job.migration.replaced):
            return wanted, Ruling(False, f"{alias.name} means {alias.target.name} by now.")
        if evaluation.gate is None:
            return wanted, Ruling(False, "The dataset of one of the gate's guards is gone.")
    gate, now = (alias.gate, alias.target) if alias else (None, None)
    return wanted, rule(gate, now=now, wanted=wanted, evaluation=evaluation)


async def _decide(
    connection: AsyncConnection,
    job: Job,
    alias: Alias | None,
    wanted: Candidate,
    ruling: Ruling,
    *,
    on: Evaluation,
) -> None:
    assert job.promote is not None
    at = on.finished_at or on.created_at
    if alias is None and ruling.passed:
        made = make(new_id("alias"), job.promote, wanted, gate=None, by=job.id, at=at)
        await aliases.add(connection, made)
    elif alias is None:
        refused = AliasDecision(
            alias=job.promote,
            kind=DecisionKind.REFUSED,
            by=job.id,
            from_model=None,
            to_model=wanted.name,
            reason=ruling.reason,
            evaluation_id=on.id,
            verdict=ruling.verdict,
            at=at,
        )
        await aliases.record(connection, refused)
    elif not is_same(alias.target, wanted):
        await aliases.write(connection, move(alias, wanted, ruling, by=job.id, at=at, on=on.id))


async def _with_guards(
    connection: AsyncConnection, gate: Gate, candidates: list[Candidate], now: Millis
) -> Gate | None:
    """The gate with an evaluation for each guard on another dataset; None where one is gone."""
    try:
        guards = [await _guard(connection, guard, candidates, now) for guard in gate.guards]
    except DatasetNotFound:
        return None
    return msgspec.structs.replace(gate, guards=guards)


async def _guard(
    connection: AsyncConnection, guard: Guard, candidates: list[Candidate], now: Millis
) -> Guard:
    if guard.dataset is None:
        return guard
    dataset = await datasets.get(connection, guard.dataset.id)
    beside = Evaluation(
        id=new_id("eval"),
        dataset=dataset.ref,
        candidates=candidates,
        metrics=[guard.metric],
        examples=dataset.examples,
        created_at=now,
    )
    await evaluations.add(connection, beside)
    return msgspec.structs.replace(guard, evaluation_id=beside.id)


def _candidate(model: TunedModel) -> Candidate:
    return Candidate(model.id, model.provider, model.base_model, model.id)
