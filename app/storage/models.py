"""Tuned models, each born with its job's success."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, and_, delete, false, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import ModelNotFound
from app.domain.models import TunedModel
from app.domain.quotes import Pace
from app.storage.base import Json, Row
from app.storage.jobs import JobRow


class ModelRow(Row):
    """A tuned model; the columns are the fields of `domain.models.TunedModel`."""

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    provider: Mapped[str]
    base_model: Mapped[str]
    parent_model_id: Mapped[str | None]
    job_id: Mapped[str | None] = mapped_column(index=True)
    dataset: Mapped[Any | None] = mapped_column(Json)
    method: Mapped[Any | None] = mapped_column(Json)
    effective: Mapped[Any] = mapped_column(Json)
    kind: Mapped[str]
    artifact: Mapped[str]
    sha256: Mapped[str | None]
    trained_tokens: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, model: TunedModel) -> None:
    """Store a new model."""
    await connection.execute(insert(ModelRow).values(**msgspec.to_builtins(model)))


async def get(connection: AsyncConnection, model_id: str) -> TunedModel:
    """The model of that id; raises `ModelNotFound`."""
    found = await connection.execute(select(*ModelRow.__table__.c).where(ModelRow.id == model_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise ModelNotFound(f"There is no model {model_id!r}.")
    return msgspec.convert(dict(row), TunedModel)


async def find_many(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, TunedModel]:
    """The models of those ids that exist."""
    found = await connection.execute(select(*ModelRow.__table__.c).where(ModelRow.id.in_(ids)))
    return {row["id"]: msgspec.convert(dict(row), TunedModel) for row in found.mappings()}


async def find_artifact(
    connection: AsyncConnection, provider: str, artifact: str
) -> TunedModel | None:
    """The model with that handle at its provider."""
    found = await connection.execute(
        select(*ModelRow.__table__.c).where(
            ModelRow.provider == provider, ModelRow.artifact == artifact
        )
    )
    row = found.mappings().first()
    return None if row is None else msgspec.convert(dict(row), TunedModel)


async def put(connection: AsyncConnection, model: TunedModel) -> None:
    """Store a model, or let the one of that id be this one."""
    values = msgspec.to_builtins(model)
    done = await connection.execute(
        update(ModelRow).where(ModelRow.id == model.id).values(**values).returning(ModelRow.id)
    )
    if done.scalar_one_or_none() is None:
        await add(connection, model)


Bases = Mapping[str, Sequence[str]]
"""Base models by provider."""


async def list_page(
    connection: AsyncConnection,
    *,
    provider: str | None,
    bases: Bases | None = None,
    before: str | None,
    limit: int,
) -> list[TunedModel]:
    """At most `limit` models, newest first, older than the model id `before`.

    With `bases` only those that were tuned from one of them.
    """
    query = select(*ModelRow.__table__.c).order_by(ModelRow.id.desc()).limit(limit)
    if provider is not None:
        query = query.where(ModelRow.provider == provider)
    if bases is not None:
        query = query.where(_is_of(bases))
    if before is not None:
        query = query.where(ModelRow.id < before)
    return [
        msgspec.convert(dict(row), TunedModel)
        for row in (await connection.execute(query)).mappings()
    ]


async def ids_of(
    connection: AsyncConnection, *, provider: str, base_model: str, after: str, limit: int
) -> list[str]:
    """At most `limit` models that were tuned from a base model, oldest first, after an id."""
    found = await connection.execute(
        select(ModelRow.id)
        .where(
            ModelRow.provider == provider, ModelRow.base_model == base_model, ModelRow.id > after
        )
        .order_by(ModelRow.id)
        .limit(limit)
    )
    return list(found.scalars())


async def remove(connection: AsyncConnection, model_id: str) -> None:
    """Forget a model."""
    await connection.execute(delete(ModelRow).where(ModelRow.id == model_id))


async def paces(
    connection: AsyncConnection, *, provider: str, base_model: str, method: str, limit: int
) -> list[Pace]:
    """How long the latest successful trainings of a base model took, for how many tokens."""
    found = await connection.execute(
        select(ModelRow.trained_tokens, JobRow.started_at, JobRow.finished_at)
        .join(JobRow, JobRow.id == ModelRow.job_id)
        .where(
            ModelRow.provider == provider,
            ModelRow.base_model == base_model,
            ModelRow.method["type"].as_string() == method,
            ModelRow.trained_tokens.is_not(None),
        )
        .order_by(ModelRow.id.desc())
        .limit(limit)
    )
    return [
        Pace(tokens, (end - begun) / 1000)
        for tokens, begun, end in found
        if tokens is not None and begun is not None and end is not None
    ]


def _is_of(bases: Bases) -> ColumnElement[bool]:
    return or_(
        false(),
        *(
            and_(ModelRow.provider == provider, ModelRow.base_model.in_(names))
            for provider, names in bases.items()
        ),
    )
