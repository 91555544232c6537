"""The compare chore: wait for all trainings, have one evaluation made, and lay out the table."""

from app.domain.comparisons import Comparison, ComparisonStatus
from app.domain.decide import backoff_seconds
from app.domain.errors import DatasetNotFound
from app.domain.evaluations import Candidate, Evaluation, EvaluationError, EvaluationStatus
from app.domain.jobs import Job
from app.domain.standings import candidates_of, standings
from app.reconciler import work
from app.reconciler.work import Workshop
from app.storage import answers, comparisons, datasets, evaluations, jobs, models, tenancy
from app.storage.comparisons import ComparisonRow
from app.storage.ids import new_id
from app.storage.signals import WORK_DUE

LOOK_SECONDS = 1.0
"""How often the jobs and the evaluation of a comparison are looked at; they lie here."""

MOST_ACCIDENTS = 10
"""Claims in a row that may bring nothing; nobody can ask a failed comparison to go on."""


async def tick(shop: Workshop) -> int:
    """Take one comparison further; how many were looked at."""
    async with shop.database.read() as connection:
        if not await comparisons.is_any_due(connection):
            return 0
    async with shop.database.write() as connection:
        claimed = await comparisons.claim(connection, owner=shop.owner, limit=1)
    for comparison in claimed:
        async with work.held(shop, ComparisonRow, comparison.id, comparison.epoch):
            with tenancy.working_for(tenancy.account_of(comparison)):
                await _guarded(shop, comparison)
    return len(claimed)


async def _guarded(shop: Workshop, comparison: Comparison) -> None:
    """Where it breaks its lease ends, and another try follows, but not for ever."""
    try:
        if comparison.accidents > MOST_ACCIDENTS:
            message = f"{MOST_ACCIDENTS} tries in a row to work on it broke; the log has the rest."
            await _fail(shop, comparison, EvaluationError("work_broke", message))
        elif comparison.evaluation_id is None:
            await _after_training(shop, comparison)
        else:
            await _after_evaluation(shop, comparison, comparison.evaluation_id)
    except Exception:  # noqa: BLE001 - the next claim counts
        work.broke("comparison", comparison.id)


async def _after_training(shop: Workshop, comparison: Comparison) -> None:
    trained, born = await _outcomes(shop, comparison)
    if not all(job.status.is_final for job in trained.values()):
        await _look_again(shop, comparison)
        return
    if not born:
        await _fail(shop, comparison, EvaluationError("no_model", "No training left a model."))
        return
    try:
        await _evaluate(shop, comparison, candidates_of(comparison, trained, born))
    except DatasetNotFound as error:
        await _fail(shop, comparison, EvaluationError(error.code, error.detail))


async def _evaluate(shop: Workshop, comparison: Comparison, candidates: list[Candidate]) -> None:
    """One evaluation for all, made in the transaction that says that it was."""
    now = await shop.database.now()
    async with shop.database.write() as connection:
        dataset = await datasets.get(connection, comparison.held_out.id)
        evaluation = Evaluation(
            id=new_id("eval"),
            dataset=dataset.ref,
            candidates=candidates,
            metrics=comparison.metrics,
            examples=dataset.examples,
            created_at=now,
        )
        is_ours = await comparisons.apply(
            connection,
            comparison,
            look_again_in=LOOK_SECONDS,
            status=ComparisonStatus.EVALUATING,
            evaluation_id=evaluation.id,
        )
        if is_ours:
            await evaluations.add(connection, evaluation)
    _note(comparison, is_ours)
    shop.signals.send(WORK_DUE)


async def _after_evaluation(shop: Workshop, comparison: Comparison, evaluation_id: str) -> None:
    async with shop.database.read() as connection:
        evaluation = await evaluations.get(connection, evaluation_id)
    if not evaluation.status.is_final:
        await _look_again(shop, comparison)
        return
    if evaluation.status is EvaluationStatus.FAILED:
        await _fail(shop, comparison, evaluation.error)
        return
    trained, born = await _outcomes(shop, comparison)
    async with shop.database.read() as connection:
        spending = await answers.spending(connection, evaluation_id)
    table = standings(comparison, trained, born, evaluation, spending)
    await _write(shop, comparison, status=ComparisonStatus.SUCCEEDED, standings=table)


async def _outcomes(
    shop: Workshop, comparison: Comparison
) -> tuple[dict[str, Job], dict[str, Candidate]]:
    """The jobs, and the tuned models that are there, by their ids."""
    ids = [one.job_id for one in comparison.contenders]
    async with shop.database.read() as connection:
        trained = await jobs.find_many(connection, ids)
        wanted = [job.tuned_model_id for job in trained.values() if job.tuned_model_id]
        born = await models.find_many(connection, wanted)
    return trained, {
        id_: Candidate(id_, model.provider, model.base_model, id_) for id_, model in born.items()
    }


async def _fail(shop: Workshop, comparison: Comparison, error: EvaluationError | None) -> None:
    trained, born = await _outcomes(shop, comparison)
    table = standings(comparison, trained, born, None, {})
    failed = ComparisonStatus.FAILED
    await _write(shop, comparison, status=failed, error=error, standings=table)


async def _look_again(shop: Workshop, comparison: Comparison) -> None:
    wait = LOOK_SECONDS + backoff_seconds(0, shop.chance)
    async with shop.database.write() as connection:
        is_ours = await comparisons.apply(connection, comparison, look_again_in=wait)
    _note(comparison, is_ours)


async def _write(shop: Workshop, comparison: Comparison, **changes: object) -> None:
    async with shop.database.write() as connection:
        is_ours = await comparisons.apply(connection, comparison, look_again_in=None, **changes)
    _note(comparison, is_ours)


def _note(comparison: Comparison, is_ours: bool) -> None:
    if not is_ours:
        work.lost_lease("comparison", comparison.id, epoch=comparison.epoch)
