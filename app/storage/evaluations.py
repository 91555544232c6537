"""Evaluations: what was asked for, how far they are, and what came of them."""

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Index,
    RowMapping,
    String,
    and_,
    cast,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import EvaluationNotFound
from app.domain.evaluations import Evaluation, EvaluationStatus, Judge
from app.domain.webhook_deliveries import Told
from app.storage import leases, webhook_deliveries
from app.storage.base import Json, Row, database_now
from app.storage.tenancy import Charged, mine, stamp, tenant

_OPEN = "status NOT IN ('succeeded', 'failed')"


class EvaluationRow(leases.Counted, Charged, Row):
    """An evaluation; the columns are the fields of `domain.evaluations.Evaluation`."""

    __tablename__ = "evaluations"
    __table_args__ = (
        Index("ix_evaluations_project_id_id", "project_id", "id"),
        Index(
            "ix_evaluations_due", "next_at", postgresql_where=text(_OPEN), sqlite_where=text(_OPEN)
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[Any] = mapped_column(Json)
    candidates: Mapped[Any] = mapped_column(Json)
    metrics: Mapped[Any] = mapped_column(Json)
    limit: Mapped[int | None]
    judge: Mapped[Any | None] = mapped_column(Json)
    gate: Mapped[Any | None] = mapped_column(Json)
    max_cost_usd: Mapped[str | None]
    ratings: Mapped[Any | None] = mapped_column(Json)
    tags: Mapped[Any | None] = mapped_column(Json)
    job_id: Mapped[str | None] = mapped_column(index=True)
    status: Mapped[str]
    examples: Mapped[int]
    answered: Mapped[int]
    to_judge: Mapped[int] = mapped_column(server_default="0")
    judged: Mapped[int] = mapped_column(server_default="0")
    errors: Mapped[Any | None] = mapped_column(Json)
    cost_usd: Mapped[float | None]
    scores: Mapped[Any] = mapped_column(Json)
    differences: Mapped[Any] = mapped_column(Json)
    findings: Mapped[Any | None] = mapped_column(Json)
    error: Mapped[Any | None] = mapped_column(Json)
    failures: Mapped[int]
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, evaluation: Evaluation) -> None:
    """Store a new evaluation, due at once."""
    values = msgspec.to_builtins(evaluation) | stamp()
    await connection.execute(
        insert(EvaluationRow).values(**values, next_at=database_now(), lease_owner=None)
    )
    told = Told("evaluation.created", evaluation.id, evaluation.status)
    await webhook_deliveries.tell(connection, [told], project_id=tenant().project_id)


async def get(connection: AsyncConnection, evaluation_id: str) -> Evaluation:
    """The evaluation of that id; raises `EvaluationNotFound`."""
    found = await connection.execute(
        select(*EvaluationRow.__table__.c).where(
            EvaluationRow.id == evaluation_id, mine(EvaluationRow)
        )
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise EvaluationNotFound(f"There is no evaluation {evaluation_id!r}.")
    return _evaluation(row)


async def list_page(
    connection: AsyncConnection, *, job_id: str | None, before: str | None, limit: int
) -> list[Evaluation]:
    """At most `limit` evaluations, newest first, older than the id `before`."""
    query = select(*EvaluationRow.__table__.c).where(mine(EvaluationRow))
    query = query.order_by(EvaluationRow.id.desc()).limit(limit)
    if job_id is not None:
        query = query.where(EvaluationRow.job_id == job_id)
    if before is not None:
        query = query.where(EvaluationRow.id < before)
    return [_evaluation(row) for row in (await connection.execute(query)).mappings()]


_IS_OPEN = and_(text(_OPEN))


async def is_any_due(connection: AsyncConnection) -> bool:
    """Whether a claim would find something."""
    return await leases.is_any_due(connection, EvaluationRow, where=_IS_OPEN)


async def claim(connection: AsyncConnection, *, owner: str, limit: int) -> list[Evaluation]:
    """Take due evaluations."""
    rows = await leases.claim(connection, EvaluationRow, where=_IS_OPEN, owner=owner, limit=limit)
    return [_evaluation(row) for row in rows]


async def note(connection: AsyncConnection, evaluation: Evaluation, **progress: Any) -> bool:
    """Write progress and keep the lease; False when it is somebody else's by now."""
    values = {**progress, "accidents": 0}
    return await leases.write_fenced(
        connection, EvaluationRow, id=evaluation.id, epoch=evaluation.epoch, values=values
    )


async def apply(
    connection: AsyncConnection,
    evaluation: Evaluation,
    *,
    look_again_in: float | None,
    ended: bool,
    **changes: Any,
) -> bool:
    """Write changes if the lease is still ours, and give the lease back."""
    values = {name: msgspec.to_builtins(value) for name, value in changes.items()}
    values |= {"next_at": leases.in_seconds(look_again_in), "lease_owner": None}
    if ended:
        values["finished_at"] = database_now()
    is_ours = await note(connection, evaluation, **values)
    if is_ours and ended:
        told = Told(f"evaluation.{values['status']}", evaluation.id, values["status"])
        await webhook_deliveries.tell(connection, [told], project_id=evaluation.project_id)
    return is_ours


async def reopen(
    connection: AsyncConnection, evaluation: Evaluation, *, metrics: list[str], judge: Judge | None
) -> None:
    """Let one that has ended be scored again, due at once."""
    await connection.execute(
        update(EvaluationRow)
        .where(EvaluationRow.id == evaluation.id, mine(EvaluationRow))
        .values(
            metrics=metrics,
            judge=msgspec.to_builtins(judge),
            status=EvaluationStatus.RUNNING,
            error=None,
            failures=0,
            finished_at=None,
            next_at=database_now(),
            lease_owner=None,
            epoch=EvaluationRow.epoch + 1,
        )
    )


async def find_answering(
    connection: AsyncConnection, *, dataset_id: str, model_id: str
) -> Evaluation | None:
    """The latest evaluation that has all of the model's answers to the dataset's examples."""
    found = await connection.execute(
        select(*EvaluationRow.__table__.c)
        .where(
            EvaluationRow.status == EvaluationStatus.SUCCEEDED,
            EvaluationRow.dataset["id"].as_string() == dataset_id,
            EvaluationRow.limit.is_(None),
            mine(EvaluationRow),
        )
        .order_by(EvaluationRow.id.desc())
    )
    for row in found.mappings():
        if any(one.get("model_id") == model_id for one in row["candidates"]):
            return _evaluation(row)
    return None


async def promised(connection: AsyncConnection, *, key_id: str | None) -> Decimal:
    """What the unfinished evaluations of the project, or of one of its keys, may cost at most."""
    query = select(EvaluationRow.max_cost_usd).where(
        text(_OPEN), EvaluationRow.max_cost_usd.is_not(None), mine(EvaluationRow)
    )
    if key_id is not None:
        query = query.where(EvaluationRow.key_id == key_id)
    return sum((Decimal(most or 0) for most in await connection.scalars(query)), Decimal(0))


async def of_model(connection: AsyncConnection, model_id: str, *, limit: int) -> list[Evaluation]:
    """The latest evaluations that ended well and in which the model answered, newest first."""
    found = await connection.execute(
        select(*EvaluationRow.__table__.c)
        .where(
            mine(EvaluationRow),
            EvaluationRow.status == EvaluationStatus.SUCCEEDED,
            # An id is found nowhere by chance.
            cast(EvaluationRow.candidates, String).contains(model_id, autoescape=True),
        )
        .order_by(EvaluationRow.id.desc())
        .limit(limit)
    )
    return [_evaluation(row) for row in found.mappings()]


async def uses_dataset(connection: AsyncConnection, dataset_id: str) -> str | None:
    """An unfinished evaluation that needs the dataset, if there is one."""
    found = await connection.execute(
        select(EvaluationRow.id)
        .where(
            text(_OPEN),
            EvaluationRow.dataset["id"].as_string() == dataset_id,
            mine(EvaluationRow),
        )
        .limit(1)
    )
    return found.scalar_one_or_none()


async def uses_model(connection: AsyncConnection, model_id: str) -> str | None:
    """An unfinished evaluation that asks the model, as a candidate or judge, if there is one."""
    found = await connection.execute(
        select(EvaluationRow.id, EvaluationRow.candidates, EvaluationRow.judge).where(
            text(_OPEN), mine(EvaluationRow)
        )
    )
    for id_, candidates, judge in found:
        asked = candidates if judge is None else [*candidates, judge["model"]]
        if any(candidate.get("model_id") == model_id for candidate in asked):
            return id_
    return None


def _evaluation(row: RowMapping) -> Evaluation:
    """The row's value; where an older version wrote nothing a field has its default."""
    written = {name: value for name, value in row.items() if value is not None}
    return msgspec.convert(written, Evaluation)
