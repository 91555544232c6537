"""What an evaluation still has to ask: answers of candidates, and a judge's word on them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.chat import answer_calls, answer_text
from app.domain.evaluations import (
    JUDGE,
    Answer,
    Candidate,
    Evaluation,
    Judge,
    Judgement,
    JudgeMode,
)
from app.domain.judging import judging_request, read_verdict
from app.domain.metrics import measured
from app.domain.questions import Question
from app.reconciler import asking
from app.reconciler.asking import Call, Reply, Target
from app.reconciler.work import Workshop
from app.storage import answers

SLICE = 64
"""Answers that one tick asks for; each is kept as it comes."""


async def answers_wanted(
    shop: Workshop, evaluation: Evaluation, questions: Sequence[Question]
) -> list[Call]:
    """The next calls of candidates that have not answered; none when all have."""
    async with shop.database.read() as connection:
        answered = await answers.answered(connection, evaluation.id)
    missing = [
        (candidate, question)
        for candidate in evaluation.candidates
        for question in questions
        if (candidate.name, question.row) not in answered
    ][:SLICE]
    asked = {candidate.name: candidate for candidate, _ in missing}
    targets = {name: await asking.target(shop, who) for name, who in asked.items()}
    return [
        _answer_call(targets[candidate.name], candidate, question, evaluation.metrics)
        for candidate, question in missing
    ]


async def judgements_wanted(
    shop: Workshop, evaluation: Evaluation, questions: Sequence[Question]
) -> list[Call]:
    """The next calls of the judge, all answers being there; none when it has judged them all."""
    judge = evaluation.judge
    if judge is None or JUDGE not in evaluation.metrics:
        return []
    async with shop.database.read() as connection:
        wanted = await _to_judge(connection, evaluation, judge)
        judged = await answers.judged(connection, evaluation.id, judge.key)
        missing = [one for one in wanted if one not in judged][:SLICE]
        rows = sorted({row for _, row, _ in missing})
        given = await answers.of_rows(connection, evaluation.id, rows)
    if not missing:
        return []
    target = await asking.target(shop, judge.model)
    asked = {question.row: question for question in questions}
    said = {(one.candidate, one.row): one for group in given.values() for one in group}
    baseline = evaluation.candidate_names[0]
    return [
        _judge_call(target, judge, asked[row], said[name, row], said[baseline, row], turn=turn)
        for name, row, turn in missing
    ]


async def judging_progress(shop: Workshop, evaluation: Evaluation) -> dict[str, int]:
    """How many answers so far are to be judged, and how many are."""
    if evaluation.judge is None or JUDGE not in evaluation.metrics:
        return {"to_judge": 0, "judged": 0}
    async with shop.database.read() as connection:
        wanted = await _to_judge(connection, evaluation, evaluation.judge)
        judged = await answers.judged(connection, evaluation.id, evaluation.judge.key)
    return {"to_judge": len(wanted), "judged": len(judged)}


def judged_candidates(evaluation: Evaluation, judge: Judge) -> list[str]:
    """Whose answers are judged: in a comparison all but the one they are compared with."""
    names = evaluation.candidate_names
    return names[1:] if judge.mode is JudgeMode.PAIRWISE else names


async def _to_judge(
    connection: AsyncConnection, evaluation: Evaluation, judge: Judge
) -> list[tuple[str, int, int]]:
    """(candidate, row, turn) of every answer; where there is none nothing is to be judged."""
    answered = await answers.answered(connection, evaluation.id)
    names = judged_candidates(evaluation, judge)
    return [
        (name, row, turn)
        for (name, row), is_answer in sorted(answered.items())
        if is_answer and name in names
        for turn in range(judge.turns)
    ]


def _answer_call(
    target: Target, candidate: Candidate, question: Question, metrics: Sequence[str]
) -> Call:
    def record(reply: Reply) -> Answer:
        return _answer(candidate.name, question, metrics, reply)

    return Call(target, question.request(), record)


def _answer(candidate: str, question: Question, metrics: Sequence[str], reply: Reply) -> Answer:
    completion = reply.completion
    usage: dict[str, Any] = (completion or {}).get("usage") or {}
    fields: dict[str, Any] = {
        "row": question.row,
        "candidate": candidate,
        "output": answer_text(completion) if completion else "",
        "tool_calls": (answer_calls(completion) or None) if completion else None,
        "seconds": reply.seconds,
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "cost_usd": reply.cost_usd,
        "refusal": reply.refusal,
    }
    unscored = Answer(scores={}, **fields)
    return Answer(scores=measured(unscored, question, metrics), **fields)


def _judge_call(
    target: Target,
    judge: Judge,
    question: Question,
    answer: Answer,
    baseline: Answer,
    *,
    turn: int,
) -> Call:
    def record(reply: Reply) -> Judgement:
        text = answer_text(reply.completion) if reply.completion else reply.refusal or ""
        is_word = reply.completion is not None
        return Judgement(
            judge=judge.key,
            candidate=answer.candidate,
            row=question.row,
            turn=turn,
            verdict=read_verdict(judge, text, turn=turn) if is_word else None,
            text=text,
            cost_usd=reply.cost_usd,
        )

    request = judging_request(judge, question, answer, baseline, turn=turn)
    return Call(target, request, record)
