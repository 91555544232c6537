"""Evaluations and every answer that was given in them."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import BigInteger, ForeignKey, Index, and_, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import EvaluationNotFound
from app.domain.evaluations import Answer, Evaluation
from app.storage import leases
from app.storage.base import Json, Row, database_now

_OPEN = "status NOT IN ('succeeded', 'failed')"


class EvaluationRow(leases.Leased, Row):
    """An evaluation; the columns are the fields of `domain.evaluations.Evaluation`."""

    __tablename__ = "evaluations"
    __table_args__ = (
        Index(
            "ix_evaluations_due", "next_at", postgresql_where=text(_OPEN), sqlite_where=text(_OPEN)
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[Any] = mapped_column(Json)
    candidates: Mapped[Any] = mapped_column(Json)
    metrics: Mapped[Any] = mapped_column(Json)
    limit: Mapped[int | None]
    job_id: Mapped[str | None] = mapped_column(index=True)
    status: Mapped[str]
    examples: Mapped[int]
    answered: Mapped[int]
    scores: Mapped[Any] = mapped_column(Json)
    differences: Mapped[Any] = mapped_column(Json)
    error: Mapped[Any | None] = mapped_column(Json)
    failures: Mapped[int]
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


class AnswerRow(Row):
    """What one candidate said to one example, kept so that no answer is generated twice."""

    __tablename__ = "evaluation_answers"

    evaluation_id: Mapped[str] = mapped_column(
        ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True
    )
    candidate: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    output: Mapped[str]
    scores: Mapped[Any] = mapped_column(Json)
    seconds: Mapped[float]
    completion_tokens: Mapped[int | None]
    refusal: Mapped[str | None]


async def add(connection: AsyncConnection, evaluation: Evaluation) -> None:
    """Store a new evaluation, due at once."""
    values = msgspec.to_builtins(evaluation)
    await connection.execute(
        insert(EvaluationRow).values(**values, next_at=database_now(), lease_owner=None)
    )


async def get(connection: AsyncConnection, evaluation_id: str) -> Evaluation:
    """The evaluation of that id; raises `EvaluationNotFound`."""
    found = await connection.execute(
        select(*EvaluationRow.__table__.c).where(EvaluationRow.id == evaluation_id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise EvaluationNotFound(f"There is no evaluation {evaluation_id!r}.")
    return msgspec.convert(dict(row), Evaluation)


async def list_page(
    connection: AsyncConnection, *, job_id: str | None, before: str | None, limit: int
) -> list[Evaluation]:
    """At most `limit` evaluations, newest first, older than the id `before`."""
    query = select(*EvaluationRow.__table__.c).order_by(EvaluationRow.id.desc()).limit(limit)
    if job_id is not None:
        query = query.where(EvaluationRow.job_id == job_id)
    if before is not None:
        query = query.where(EvaluationRow.id < before)
    return [
        msgspec.convert(dict(row), Evaluation)
        for row in (await connection.execute(query)).mappings()
    ]


async def claim(connection: AsyncConnection, *, owner: str, limit: int) -> list[Evaluation]:
    """Take due evaluations."""
    rows = await leases.claim(
        connection, EvaluationRow, where=and_(text(_OPEN)), owner=owner, limit=limit
    )
    return [msgspec.convert(dict(row), Evaluation) for row in rows]


async def apply(
    connection: AsyncConnection,
    evaluation: Evaluation,
    *,
    answers: Sequence[Answer] = (),
    look_again_in: float | None,
    ended: bool,
    **changes: Any,
) -> bool:
    """Write progress if the lease is still ours, and give the lease back."""
    values = {name: msgspec.to_builtins(value) for name, value in changes.items()}
    values |= {"next_at": leases.in_seconds(look_again_in), "lease_owner": None}
    if ended:
        values["finished_at"] = database_now()
    is_ours = await leases.write_fenced(
        connection, EvaluationRow, id=evaluation.id, epoch=evaluation.epoch, values=values
    )
    if is_ours and answers:
        rows = [
            msgspec.to_builtins(answer) | {"evaluation_id": evaluation.id} for answer in answers
        ]
        await connection.execute(insert(AnswerRow), rows)
    return is_ours


async def answered_rows(connection: AsyncConnection, evaluation_id: str) -> set[tuple[str, int]]:
    """Which (candidate, row) have been answered."""
    found = await connection.execute(
        select(AnswerRow.candidate, AnswerRow.row).where(AnswerRow.evaluation_id == evaluation_id)
    )
    return {(candidate, row) for candidate, row in found}


async def scores_by_row(
    connection: AsyncConnection, evaluation_id: str
) -> dict[tuple[str, int], dict[str, float]]:
    """The scores of every answer by (candidate, row)."""
    found = await connection.execute(
        select(AnswerRow.candidate, AnswerRow.row, AnswerRow.scores).where(
            AnswerRow.evaluation_id == evaluation_id
        )
    )
    return {(candidate, row): scores for candidate, row, scores in found}


async def list_answers(
    connection: AsyncConnection,
    evaluation: Evaluation,
    *,
    sort: Literal["row", "worst"],
    after: int,
    limit: int,
) -> list[list[Answer]]:
    """All candidates' answers to `limit` examples from the `after`-th on.

    `worst` puts first the examples on which the last candidate scored least on the first metric.
    """
    score = AnswerRow.scores[evaluation.metrics[0]].as_float()
    last = evaluation.candidates[-1].name
    order = [score, AnswerRow.row] if sort == "worst" else [AnswerRow.row]
    chosen = await connection.execute(
        select(AnswerRow.row)
        .where(AnswerRow.evaluation_id == evaluation.id, AnswerRow.candidate == last)
        .order_by(*order)
        .offset(after)
        .limit(limit)
    )
    rows = list(chosen.scalars())
    found = await connection.execute(
        select(*AnswerRow.__table__.c).where(
            AnswerRow.evaluation_id == evaluation.id, AnswerRow.row.in_(rows)
        )
    )
    by_row: dict[int, list[Answer]] = {row: [] for row in rows}
    for answer in found.mappings():
        by_row[answer["row"]].append(msgspec.convert(dict(answer), Answer))
    return list(by_row.values())


async def uses_dataset(connection: AsyncConnection, dataset_id: str) -> str | None:
    """An unfinished evaluation that needs the dataset, if there is one."""
    found = await connection.execute(
        select(EvaluationRow.id)
        .where(text(_OPEN), EvaluationRow.dataset["id"].as_string() == dataset_id)
        .limit(1)
    )
    return found.scalar_one_or_none()


async def uses_model(connection: AsyncConnection, model_id: str) -> str | None:
    """An unfinished evaluation that asks the model, if there is one."""
    found = await connection.execute(
        select(EvaluationRow.id, EvaluationRow.candidates).where(text(_OPEN))
    )
    for id_, candidates in found:
        if any(candidate.get("model_id") == model_id for candidate in candidates):
            return id_
    return None
