"""Every answer that was given in an evaluation, and every judgement of one."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ForeignKey, and_, bindparam, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.evaluations import Answer, Judgement
from app.domain.standings import Spending
from app.storage.base import Json, Row

ROWS_AT_ONCE = 500
"""Parameters of one statement are bounded on both databases."""


class AnswerRow(Row):
    """What one candidate said to one example, kept so that no answer is generated twice."""

    __tablename__ = "evaluation_answers"

    evaluation_id: Mapped[str] = mapped_column(
        ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True
    )
    candidate: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    output: Mapped[str]
    tool_calls: Mapped[Any | None] = mapped_column(Json)
    scores: Mapped[Any] = mapped_column(Json)
    seconds: Mapped[float]
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None]
    refusal: Mapped[str | None]


class JudgementRow(Row):
    """What one judge said of one answer in one turn, kept so that it is never asked twice."""

    __tablename__ = "evaluation_judgements"

    evaluation_id: Mapped[str] = mapped_column(
        ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True
    )
    judge: Mapped[str] = mapped_column(primary_key=True)
    candidate: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True)
    verdict: Mapped[float | None]
    text: Mapped[str]
    cost_usd: Mapped[float | None]


async def keep(
    connection: AsyncConnection, evaluation_id: str, records: Sequence[Answer | Judgement]
) -> None:
    """Store answers and judgements."""
    given = [record for record in records if isinstance(record, Answer)]
    said = [record for record in records if isinstance(record, Judgement)]
    for row, kept in ((AnswerRow, given), (JudgementRow, said)):
        values = [msgspec.to_builtins(one) | {"evaluation_id": evaluation_id} for one in kept]
        if values:
            await connection.execute(insert(row), values)


async def copy(
    connection: AsyncConnection, *, candidate: str, source: str, to: str, name: str
) -> int:
    """Keep a candidate's answers of one evaluation in another too, under a name; how many."""
    kept = {"evaluation_id": literal(to), "candidate": literal(name)}
    columns = AnswerRow.__table__.c
    copied = select(*(kept.get(column.key, column) for column in columns)).where(
        AnswerRow.evaluation_id == source, AnswerRow.candidate == candidate
    )
    await connection.execute(
        insert(AnswerRow).from_select([column.key for column in columns], copied)
    )
    # Not every driver tells how many rows were inserted.
    kept_there = select(func.count()).where(
        AnswerRow.evaluation_id == to, AnswerRow.candidate == name
    )
    return (await connection.execute(kept_there)).scalar_one()


async def answered(connection: AsyncConnection, evaluation_id: str) -> dict[tuple[str, int], bool]:
    """Which (candidate, row) are done with: True where there is an answer, False a refusal."""
    found = await connection.execute(
        select(AnswerRow.candidate, AnswerRow.row, AnswerRow.refusal.is_(None)).where(
            AnswerRow.evaluation_id == evaluation_id
        )
    )
    return {(candidate, row): bool(is_answer) for candidate, row, is_answer in found}


async def scores(
    connection: AsyncConnection, evaluation_id: str
) -> dict[tuple[str, int], dict[str, float]]:
    """The scores of every answer by (candidate, row)."""
    found = await connection.execute(
        select(AnswerRow.candidate, AnswerRow.row, AnswerRow.scores).where(
            AnswerRow.evaluation_id == evaluation_id
        )
    )
    return {(candidate, row): given for candidate, row, given in found}


async def spending(connection: AsyncConnection, evaluation_id: str) -> dict[str, Spending]:
    """What each candidate's answers took; dollars are None where one's price is not known."""
    spent: dict[str, Spending] = {}
    found = await connection.execute(
        select(AnswerRow.candidate, AnswerRow.seconds, AnswerRow.cost_usd).where(
            AnswerRow.evaluation_id == evaluation_id, AnswerRow.refusal.is_(None)
        )
    )
    for candidate, seconds, usd in found:
        one = spent.setdefault(candidate, Spending(seconds=[], usd=0.0))
        one.seconds.append(seconds)
        one.usd = None if usd is None or one.usd is None else one.usd + usd
    return spent


async def page(
    connection: AsyncConnection, evaluation_id: str, candidate: str, *, after: int, limit: int
) -> list[Answer]:
    """A candidate's answers by row, at most `limit` of them after the row `after`."""
    found = await connection.execute(
        select(*AnswerRow.__table__.c)
        .where(
            AnswerRow.evaluation_id == evaluation_id,
            AnswerRow.candidate == candidate,
            AnswerRow.row > after,
        )
        .order_by(AnswerRow.row)
        .limit(limit)
    )
    return [msgspec.convert(dict(row), Answer) for row in found.mappings()]


async def of_rows(
    connection: AsyncConnection, evaluation_id: str, rows: Sequence[int]
) -> dict[int, list[Answer]]:
    """All candidates' answers to the examples of these rows, in the rows' order."""
    by_row: dict[int, list[Answer]] = {row: [] for row in rows}
    for start in range(0, len(rows), ROWS_AT_ONCE):
        found = await connection.execute(
            select(*AnswerRow.__table__.c).where(
                AnswerRow.evaluation_id == evaluation_id,
                AnswerRow.row.in_(rows[start : start + ROWS_AT_ONCE]),
            )
        )
        for answer in found.mappings():
            by_row[answer["row"]].append(msgspec.convert(dict(answer), Answer))
    return by_row


async def set_scores(
    connection: AsyncConnection, evaluation_id: str, answers: Sequence[Answer]
) -> None:
    """Write the answers' scores anew."""
    if not answers:
        return
    table = AnswerRow.__table__
    statement = (
        update(AnswerRow)
        .where(
            and_(
                table.c.evaluation_id == evaluation_id,
                table.c.candidate == bindparam("its_candidate"),
                table.c.row == bindparam("its_row"),
            )
        )
        .values(scores=bindparam("its_scores", type_=Json))
    )
    values = [
        {"its_candidate": one.candidate, "its_row": one.row, "its_scores": one.scores}
        for one in answers
    ]
    await connection.execute(statement, values)


async def judged(
    connection: AsyncConnection, evaluation_id: str, judge: str
) -> dict[tuple[str, int, int], float | None]:
    """The verdicts of one judge by (candidate, row, turn)."""
    found = await connection.execute(
        select(
            JudgementRow.candidate, JudgementRow.row, JudgementRow.turn, JudgementRow.verdict
        ).where(JudgementRow.evaluation_id == evaluation_id, JudgementRow.judge == judge)
    )
    return {(candidate, row, turn): verdict for candidate, row, turn, verdict in found}


async def judgements_of_rows(
    connection: AsyncConnection, evaluation_id: str, judge: str, rows: Sequence[int]
) -> list[Judgement]:
    """What one judge said of the answers to the examples of these rows."""
    found = await connection.execute(
        select(*JudgementRow.__table__.c)
        .where(
            JudgementRow.evaluation_id == evaluation_id,
            JudgementRow.judge == judge,
            JudgementRow.row.in_(rows),
        )
        .order_by(JudgementRow.turn)
    )
    return [msgspec.convert(dict(row), Judgement) for row in found.mappings()]
