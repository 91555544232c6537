"""The evaluate chore: ask the candidates, slice by slice, let a judge judge, and sum up.

Every answer and every judgement is kept as it comes, so that a crash asks again only for what was
under way.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from structlog.contextvars import bound_contextvars

from app.domain.decide import backoff_seconds
from app.domain.errors import DatasetNotFound, DatasetUnfit, Invalid, ModelNotFound
from app.domain.evaluations import Evaluation, EvaluationError, EvaluationStatus
from app.domain.metrics import fits
from app.domain.questions import Question
from app.reconciler import asking, cost, promote, questioning, summing, work
from app.reconciler.asking import Book, Call, LeaseLost, Outcome, Purse, Reply
from app.reconciler.work import Workshop
from app.storage import datasets, evaluations, tenancy
from app.storage.evaluations import EvaluationRow
from app.storage.questions import read_questions
from app.telemetry import traces

MAX_FAILURES = 8
"""Slices in a row that may bring nothing before what failed in them is given up."""

MOST_ACCIDENTS = 10
"""Claims in a row that may bring no answer and no word; nobody can ask a failed one to go on."""

GUARD_SECONDS = 1.0
"""How often the evaluations on a gate's other datasets are looked at."""


async def tick(shop: Workshop) -> int:
    """Take one evaluation a slice further; how many were looked at."""
    async with shop.database.read() as connection:
        if not await evaluations.is_any_due(connection):
            return 0
    async with shop.database.write() as connection:
        claimed = await evaluations.claim(connection, owner=shop.owner, limit=1)
    for evaluation in claimed:
        async with work.held(shop, EvaluationRow, evaluation.id, evaluation.epoch):
            with (
                tenancy.working_for(tenancy.account_of(evaluation)),
                bound_contextvars(evaluation=evaluation.id, project=evaluation.project_id),
                traces.span("work_on_evaluation", attributes={"luthier.evaluation": evaluation.id}),
            ):
                await _guarded(shop, evaluation)
    return len(claimed)


async def _guarded(shop: Workshop, evaluation: Evaluation) -> None:
    """Where it breaks its lease ends, and another try follows, but not for ever."""
    try:
        if evaluation.accidents > MOST_ACCIDENTS:
            message = f"{MOST_ACCIDENTS} tries in a row to work on it broke; the log has the rest."
            await _fail(shop, evaluation, "work_broke", message)
        else:
            await _advance(shop, evaluation)
    except Exception:  # noqa: BLE001 - the next claim counts
        work.broke("evaluation", evaluation.id)


async def _advance(shop: Workshop, evaluation: Evaluation) -> None:
    book = Book(shop, evaluation)
    try:
        questions = await _questions(shop, evaluation)
        book.evaluation = msgspec.structs.replace(evaluation, examples=len(questions))
        await _step(shop, book, questions)
    except* LeaseLost:
        work.lost_lease("evaluation", evaluation.id, epoch=evaluation.epoch)
    except* (DatasetNotFound, ModelNotFound, Invalid) as group:
        error = _first(group)
        await _fail(shop, book.evaluation, error.code, error.detail)
    except* Exception as group:  # noqa: BLE001 - what does not work now may work later
        await _postpone(shop, book.evaluation, asking.told(_first(group)))


async def _step(shop: Workshop, book: Book, questions: Sequence[Question]) -> None:
    """One slice of answers, else one of judgements, else the end."""
    calls = await questioning.answers_wanted(shop, book.evaluation, questions)
    if not calls:
        calls = await questioning.judgements_wanted(shop, book.evaluation, questions)
    if not calls:
        await _finish(shop, book.evaluation, questions)
        return
    progress = await questioning.judging_progress(shop, book.evaluation)
    book.evaluation = msgspec.structs.replace(book.evaluation, **progress)
    purse = Purse(book.evaluation.max_cost_usd, book.evaluation.cost_usd or 0.0)
    outcome = await asking.ask(calls, book, purse)
    await _settle(shop, book, outcome)


async def _settle(shop: Workshop, book: Book, outcome: Outcome) -> None:
    evaluation = book.evaluation
    if (silent := _mostly_silent(evaluation)) is not None:
        message = f"{silent} could not answer more than half of the examples."
        await _fail(shop, evaluation, "too_many_errors", message)
    elif outcome.kept:
        wait = backoff_seconds(0, shop.chance) if outcome.failed else 0.0
        running = EvaluationStatus.RUNNING
        await _write(shop, evaluation, status=running, failures=0, look_again_in=wait)
    elif not outcome.failed:
        message = f"The next answer could cost more than is left of {evaluation.max_cost_usd} USD."
        await _fail(shop, evaluation, "over_budget", message)
    elif evaluation.failures + 1 < MAX_FAILURES:
        await _postpone(shop, evaluation, outcome.problem)
    else:
        await _give_up(shop, book, outcome)


async def _give_up(shop: Workshop, book: Book, outcome: Outcome) -> None:
    """Let a few that never get an answer be errors; where it is most, fail the whole."""
    evaluation = book.evaluation
    by_target = Counter(call.target.name for call in outcome.failed)
    if any(count * 2 > evaluation.examples for count in by_target.values()):
        await _fail(shop, evaluation, "model_unavailable", outcome.problem)
        return
    await _keep_as_errors(book, outcome.failed, outcome.problem)
    running = EvaluationStatus.RUNNING
    await _write(shop, book.evaluation, status=running, failures=0, look_again_in=0.0)


async def _keep_as_errors(book: Book, failed: Sequence[Call], problem: str) -> None:
    for call in failed:
        await book.keep(call.record(Reply(refusal=problem)))


def _mostly_silent(evaluation: Evaluation) -> str | None:
    """A candidate that could not answer more than half of the examples."""
    for name, count in evaluation.errors.items():
        if count * 2 > evaluation.examples:
            return name
    return None


async def _finish(shop: Workshop, evaluation: Evaluation, questions: Sequence[Question]) -> None:
    if await summing.is_waiting(shop, evaluation):
        running = EvaluationStatus.RUNNING
        await _write(shop, evaluation, status=running, look_again_in=GUARD_SECONDS)
        return
    summary = await summing.sum_up(shop, evaluation, questions)
    if summary.is_judge_mute:
        message = "More than half of the judge's answers could not be read as a verdict."
        await _fail(shop, evaluation, "judge_unreadable", message)
        return
    await _write(
        shop,
        evaluation,
        status=EvaluationStatus.SUCCEEDED,
        scores=summary.scores,
        differences=summary.differences,
        findings=summary.findings,
    )


async def _questions(shop: Workshop, evaluation: Evaluation) -> list[Question]:
    async with shop.database.read() as connection:
        dataset = await datasets.get(connection, evaluation.dataset.id)
    questions = await read_questions(shop.blobs, dataset, limit=evaluation.limit)
    if not questions:
        raise DatasetUnfit("No example ends with an answer of the assistant to compare with.")
    if not any(fits(metric, question) for metric in evaluation.metrics for question in questions):
        raise DatasetUnfit(f"No example has what {', '.join(evaluation.metrics)} compare.")
    return questions


async def _fail(shop: Workshop, evaluation: Evaluation, code: str, message: str) -> None:
    problem = EvaluationError(code, message)
    await _write(shop, evaluation, status=EvaluationStatus.FAILED, error=problem)


async def _postpone(shop: Workshop, evaluation: Evaluation, problem: str) -> None:
    work.log.warning("evaluation_postponed", evaluation=evaluation.id, problem=problem)
    failures = evaluation.failures + 1
    if failures >= MAX_FAILURES:
        await _fail(shop, evaluation, "model_unavailable", problem)
        return
    wait = backoff_seconds(failures, shop.chance)
    await _write(shop, evaluation, failures=failures, look_again_in=wait)


async def _write(
    shop: Workshop, evaluation: Evaluation, *, look_again_in: float | None = None, **changes: Any
) -> None:
    status = changes.get("status", evaluation.status)
    changes |= {"examples": evaluation.examples, "to_judge": evaluation.to_judge}
    async with shop.database.write() as connection:
        is_ours = await evaluations.apply(
            connection,
            evaluation,
            look_again_in=look_again_in,
            ended=EvaluationStatus(status).is_final,
            **changes,
        )
        if is_ours and EvaluationStatus(status).is_final:
            await cost.book_evaluation(connection, evaluation.id)
            await promote.after_evaluation(connection, evaluation.id)
    if not is_ours:
        work.lost_lease("evaluation", evaluation.id, epoch=evaluation.epoch)


def _first(group: ExceptionGroup[Any]) -> Any:
    """The first error of a group, however deep it lies."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
