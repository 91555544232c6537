"""The evaluate chore: ask the candidates, slice by slice, and sum up at the end.

Every answer is kept as it comes, so that a crash costs one slice and no answer is paid twice.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain.chat import answer_text, greedy_request
from app.domain.decide import backoff_seconds
from app.domain.errors import DatasetNotFound, Invalid, LuthierError, ModelNotFound
from app.domain.evaluations import (
    Answer,
    Candidate,
    Evaluation,
    EvaluationError,
    EvaluationStatus,
)
from app.domain.examples import ChatExample, Message, decode_example, prompt_and_expected
from app.domain.metrics import METRICS
from app.domain.provider import Servable
from app.domain.scoring import differences, scores
from app.reconciler import work
from app.reconciler.work import Workshop
from app.storage import datasets, evaluations, models
from app.storage.evaluations import EvaluationRow
from app.storage.sources import read_lines

SLICE = 64
"""Answers that one tick asks for."""

PARALLEL = 16
"""Questions under way at once; a local worker answers those that wait in one batch."""

MAX_FAILURES = 8
"""Slices in a row that may fail before the evaluation does."""


class Question(msgspec.Struct, frozen=True):
    """One example turned into a question; `row` is its 1-based line."""

    row: int
    messages: list[Message]
    expected: str


async def tick(shop: Workshop) -> int:
    """Take one evaluation a slice further; how many were looked at."""
    async with shop.database.write() as connection:
        claimed = await evaluations.claim(connection, owner=shop.owner, limit=1)
    for evaluation in claimed:
        async with work.held(shop, EvaluationRow, evaluation.id, evaluation.epoch):
            await _advance(shop, evaluation)
    return len(claimed)


async def _advance(shop: Workshop, evaluation: Evaluation) -> None:
    try:
        questions = await _questions(shop, evaluation)
        if not questions:
            problem = EvaluationError(
                "dataset_unfit", "No example ends with an assistant's text to compare with."
            )
            await _write(shop, evaluation, status=EvaluationStatus.FAILED, error=problem)
            return
        evaluation = msgspec.structs.replace(evaluation, examples=len(questions))
        await _slice(shop, evaluation, questions)
    except (DatasetNotFound, ModelNotFound, Invalid) as error:
        problem = EvaluationError(error.code, error.detail)
        await _write(shop, evaluation, status=EvaluationStatus.FAILED, error=problem)
    except Exception as error:  # noqa: BLE001 - a candidate that does not answer now may later
        await _postpone(shop, evaluation, error)


async def _slice(shop: Workshop, evaluation: Evaluation, questions: list[Question]) -> None:
    async with shop.database.read() as connection:
        answered = await evaluations.answered_rows(connection, evaluation.id)
    missing = [
        (candidate, question)
        for candidate in evaluation.candidates
        for question in questions
        if (candidate.name, question.row) not in answered
    ]
    if not missing:
        await _sum_up(shop, evaluation)
        return
    answers = await _ask_all(shop, evaluation, missing[:SLICE])
    await _write(
        shop,
        evaluation,
        answers=answers,
        look_again_in=0.0,
        status=EvaluationStatus.RUNNING,
        answered=len(answered) + len(answers),
        failures=0,
    )


async def _ask_all(
    shop: Workshop, evaluation: Evaluation, pairs: Sequence[tuple[Candidate, Question]]
) -> list[Answer]:
    turns = asyncio.Semaphore(PARALLEL)
    targets = {
        candidate.name: await _servable(shop, candidate) for candidate in evaluation.candidates
    }

    async def ask(candidate: Candidate, question: Question) -> Answer:
        async with turns:
            return await _ask(shop, evaluation, candidate, targets[candidate.name], question)

    return list(await asyncio.gather(*(ask(*pair) for pair in pairs)))


async def _ask(
    shop: Workshop,
    evaluation: Evaluation,
    candidate: Candidate,
    model: Servable,
    question: Question,
) -> Answer:
    provider = shop.providers[candidate.provider]
    # Longer than what was expected is wrong already; a base model may never stop by itself.
    room = 32 + len(question.expected) // 2
    started = time.monotonic()
    completion: dict[str, Any] = {}
    refusal = None
    try:
        request = greedy_request(question.messages, max_tokens=room)
        completion = await provider.chat(model, request)
    except Invalid as error:
        refusal = error.detail
    output = answer_text(completion) if completion else ""
    return Answer(
        row=question.row,
        candidate=candidate.name,
        output=output,
        scores={
            name: METRICS[name](output, question.expected) if completion else 0.0
            for name in evaluation.metrics
        },
        seconds=round(time.monotonic() - started, 4),
        completion_tokens=completion.get("usage", {}).get("completion_tokens"),
        refusal=refusal,
    )


async def _servable(shop: Workshop, candidate: Candidate) -> Servable:
    if candidate.provider not in shop.providers:
        raise ModelNotFound(f"{candidate.name} lives at {candidate.provider}: not configured.")
    if candidate.model_id is None:
        return Servable(candidate.base_model)
    async with shop.database.read() as connection:
        model = await models.get(connection, candidate.model_id)
    return Servable(model.base_model, model.artifact)


async def _questions(shop: Workshop, evaluation: Evaluation) -> list[Question]:
    async with shop.database.read() as connection:
        dataset = await datasets.get(connection, evaluation.dataset.id)
    found: list[Question] = []
    row = 0
    async for line in read_lines(shop.blobs.chunks(dataset.sha256)):
        row += 1
        if evaluation.limit is not None and len(found) == evaluation.limit:
            break
        example = decode_example(line, dataset.kind)
        parts = prompt_and_expected(example) if isinstance(example, ChatExample) else None
        if parts is not None:
            found.append(Question(row, *parts))
    return found


async def _sum_up(shop: Workshop, evaluation: Evaluation) -> None:
    async with shop.database.read() as connection:
        by_row = await evaluations.scores_by_row(connection, evaluation.id)
    names = [candidate.name for candidate in evaluation.candidates]
    means, gaps = await asyncio.to_thread(
        lambda: (
            scores(by_row, names, evaluation.metrics),
            differences(by_row, names, evaluation.metrics),
        )
    )
    await _write(
        shop, evaluation, status=EvaluationStatus.SUCCEEDED, scores=means, differences=gaps
    )


async def _postpone(shop: Workshop, evaluation: Evaluation, error: Exception) -> None:
    problem = (
        error.detail if isinstance(error, LuthierError) else f"{type(error).__name__}: {error}"
    )
    work.log.warning("evaluation_postponed", evaluation=evaluation.id, problem=problem)
    failures = evaluation.failures + 1
    if failures >= MAX_FAILURES:
        ended = EvaluationError("model_unavailable", problem)
        await _write(shop, evaluation, status=EvaluationStatus.FAILED, error=ended)
        return
    wait = backoff_seconds(failures, shop.chance)
    await _write(shop, evaluation, failures=failures, look_again_in=wait)


async def _write(
    shop: Workshop,
    evaluation: Evaluation,
    *,
    answers: Sequence[Answer] = (),
    look_again_in: float | None = None,
    **changes: Any,
) -> None:
    status = changes.get("status", evaluation.status)
    changes["examples"] = evaluation.examples
    async with shop.database.write() as connection:
        is_ours = await evaluations.apply(
            connection,
            evaluation,
            answers=answers,
            look_again_in=look_again_in,
            ended=EvaluationStatus(status).is_final,
            **changes,
        )
    if not is_ours:
        work.log.warning("lease_lost", evaluation=evaluation.id, epoch=evaluation.epoch)
