"""The end of an evaluation: every kept answer is scored, and all scores are summed up.

Nothing is asked here, so that a metric that is wanted later costs no answer.
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from app.domain import gating, scoring
from app.domain.evaluations import (
    JUDGE,
    Answer,
    Difference,
    Evaluation,
    EvaluationStatus,
    Findings,
    JudgeMode,
    Score,
)
from app.domain.judging import TIE, WORST
from app.domain.metrics import measured
from app.domain.questions import Question
from app.domain.scoring import Marked, Sheet
from app.domain.slicing import labels_of, slices
from app.reconciler.work import Workshop
from app.storage import answers, datasets, evaluations
from app.storage.questions import read_questions

PAGE = 500
"""Answers that are scored at once; their texts are not all held in memory."""

LABEL_CHARACTERS = 200
"""What is kept of an answer as a label; a longer one is none anyway."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation found."""

    scores: list[Score]
    differences: list[Difference]
    findings: Findings
    is_judge_mute: bool


async def is_waiting(shop: Workshop, evaluation: Evaluation) -> bool:
    """Whether the gate waits for an evaluation on another dataset."""
    async with shop.database.read() as connection:
        for guard in _elsewhere(evaluation):
            if not (await evaluations.get(connection, guard)).status.is_final:
                return True
    return False


async def sum_up(shop: Workshop, evaluation: Evaluation, questions: Sequence[Question]) -> Summary:
    """Score every kept answer, and find means, differences, slices, agreement and verdicts."""
    verdicts = await _verdicts(shop, evaluation)
    sheet = await _sheet(shop, evaluation, questions, verdicts)
    elsewhere = await _sheets_elsewhere(shop, evaluation)
    unreadable = sum(one is None for given in verdicts.values() for one in given)
    judged = sum(map(len, verdicts.values()))
    findings = await asyncio.to_thread(_findings, evaluation, sheet, elsewhere, questions)
    return Summary(
        scores=await asyncio.to_thread(scoring.scores, sheet),
        differences=await asyncio.to_thread(scoring.differences, sheet),
        findings=findings,
        is_judge_mute=unreadable * 2 > judged,
    )


Verdicts = Mapping[tuple[str, int], Sequence[float | None]]
"""What the judge said of each (candidate, row), turn by turn."""


async def _verdicts(shop: Workshop, evaluation: Evaluation) -> Verdicts:
    if evaluation.judge is None or JUDGE not in evaluation.metrics:
        return {}
    async with shop.database.read() as connection:
        judged = await answers.judged(connection, evaluation.id, evaluation.judge.key)
    found: dict[tuple[str, int], list[float | None]] = {}
    for (candidate, row, _), verdict in sorted(judged.items(), key=lambda one: one[0]):
        found.setdefault((candidate, row), []).append(verdict)
    return found


async def _sheet(
    shop: Workshop, evaluation: Evaluation, questions: Sequence[Question], verdicts: Verdicts
) -> Sheet:
    by_row = {question.row: question for question in questions}
    labels = await asyncio.to_thread(labels_of, questions)
    marks: dict[str, dict[int, Marked]] = {}
    for name in evaluation.candidate_names:
        marks[name] = {}
        after = 0
        while True:
            async with shop.database.read() as connection:
                page = await answers.page(connection, evaluation.id, name, after=after, limit=PAGE)
            if not page:
                break
            after = page[-1].row
            page = [answer for answer in page if answer.row in by_row]
            scored = await asyncio.to_thread(_scored, evaluation, page, by_row, verdicts)
            await _keep_changed(shop, evaluation, page, scored)
            for answer in scored:
                said = answer.output.strip()[:LABEL_CHARACTERS]
                marks[name][answer.row] = Marked(answer.scores, said)
    return Sheet(
        candidates=evaluation.candidate_names,
        metrics=evaluation.metrics,
        marks=marks,
        labels=labels,
    )


def _scored(
    evaluation: Evaluation,
    page: Sequence[Answer],
    questions: Mapping[int, Question],
    verdicts: Verdicts,
) -> list[Answer]:
    scored: list[Answer] = []
    for answer in page:
        found = measured(answer, questions[answer.row], evaluation.metrics)
        if JUDGE in evaluation.metrics:
            judged = _judged(evaluation, answer, verdicts)
            found |= {} if judged is None else {JUDGE: judged}
        scored.append(msgspec.structs.replace(answer, scores=found))
    return scored


def _judged(evaluation: Evaluation, answer: Answer, verdicts: Verdicts) -> float | None:
    """The mean of the judge's turns; a baseline is by definition as good as itself."""
    assert evaluation.judge is not None
    is_baseline = answer.candidate == evaluation.candidate_names[0]
    if evaluation.judge.mode is JudgeMode.PAIRWISE and is_baseline:
        return TIE
    if answer.refusal is not None:
        return WORST
    given = verdicts.get((answer.candidate, answer.row), ())
    read = [verdict for verdict in given if verdict is not None]
    return sum(read) / len(read) if read and len(read) == len(given) else None


async def _keep_changed(
    shop: Workshop, evaluation: Evaluation, before: Sequence[Answer], after: Sequence[Answer]
) -> None:
    changed = [new for old, new in zip(before, after, strict=True) if old.scores != new.scores]
    async with shop.database.write() as connection:
        await answers.set_scores(connection, evaluation.id, changed)


async def _sheets_elsewhere(shop: Workshop, evaluation: Evaluation) -> dict[str, Sheet | None]:
    """What was scored on the datasets of the gate's guards; None where that failed."""
    found: dict[str, Sheet | None] = {}
    for guard in _elsewhere(evaluation):
        async with shop.database.read() as connection:
            other = await evaluations.get(connection, guard)
            if other.status is EvaluationStatus.FAILED:
                found[guard] = None
                continue
            dataset = await datasets.get(connection, other.dataset.id)
        questions = await read_questions(shop.blobs, dataset, limit=other.limit)
        found[guard] = await _sheet(shop, other, questions, await _verdicts(shop, other))
    return found


def _elsewhere(evaluation: Evaluation) -> list[str]:
    guards = evaluation.gate.guards if evaluation.gate else []
    return [guard.evaluation_id for guard in guards if guard.evaluation_id is not None]


def _findings(
    evaluation: Evaluation,
    sheet: Sheet,
    elsewhere: Mapping[str, Sheet | None],
    questions: Sequence[Question],
) -> Findings:
    gate = evaluation.gate
    return Findings(
        slices=scoring.slice_scores(sheet, slices(questions, evaluation.tags)),
        classifications=scoring.classifications(sheet),
        agreements=scoring.agreements(sheet, evaluation.ratings),
        verdicts=gating.verdicts(gate, sheet, elsewhere) if gate else [],
    )
