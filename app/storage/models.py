"""Tuned models, each born with its job's success."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    and_,
    bindparam,
    delete,
    false,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import ModelNotFound
from app.domain.models import TunedModel
from app.domain.quotes import Pace
from app.domain.webhook_deliveries import Told
from app.storage import webhook_deliveries
from app.storage.base import Json, Row
from app.storage.jobs import JobRow
from app.storage.tenancy import Lookup, Owned, mine, tenant


class ModelRow(Owned, Row):
    """A tuned model; the columns are the fields of `domain.models.TunedModel`."""

    __tablename__ = "models"
    __table_args__ = (Index("ix_models_project_id_id", "project_id", "id"),)

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
    base: Mapped[Any | None] = mapped_column(Json)
    trained_tokens: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, model: TunedModel) -> None:
    """Store a new model."""
    await connection.execute(insert(ModelRow).values(**msgspec.to_builtins(model)))
    await _tell(connection, "model.created", model.id, {"job_id": model.job_id})


_FIND = Lookup(ModelRow, select(*ModelRow.__table__.c).where(ModelRow.id == bindparam("model")))


async def get(connection: AsyncConnection, model_id: str) -> TunedModel:
    """The model of that id; raises `ModelNotFound`."""
    found = await connection.execute(*_FIND.now(model=model_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise ModelNotFound(f"There is no model {model_id!r}.")
    return msgspec.convert(dict(row), TunedModel)


async def find_many(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, TunedModel]:
    """The models of those ids that exist."""
    found = await connection.execute(
        select(*ModelRow.__table__.c).where(ModelRow.id.in_(ids), mine(ModelRow))
    )
    return {row["id"]: msgspec.convert(dict(row), TunedModel) for row in found.mappings()}


async def find_artifact(
    connection: AsyncConnection, provider: str, artifact: str
) -> TunedModel | None:
    """The model with that handle at its provider."""
    found = await connection.execute(
        select(*ModelRow.__table__.c).where(
            ModelRow.provider == provider, ModelRow.artifact == artifact, mine(ModelRow)
        )
    )
    row = found.mappings().first()
    return None if row is None else msgspec.convert(dict(row), TunedModel)


async def owner_of_artifact(connection: AsyncConnection, provider: str, handle: str) -> str | None:
    """The project whose model, or whose model's checkpoint, has that handle at the provider."""
    parts = handle.split(":")
    wholes = [":".join(parts[:count]) for count in range(1, len(parts) + 1)]
    found = await connection.execute(
        select(ModelRow.project_id)
        .where(ModelRow.provider == provider, ModelRow.artifact.in_(wholes), mine(ModelRow))
        .limit(1)
    )
    return found.scalar_one_or_none()


async def put(connection: AsyncConnection, model: TunedModel) -> None:
    """Store a model, or let the one of that id be this one."""
    values = msgspec.to_builtins(model)
    done = await connection.execute(
        update(ModelRow)
        .where(ModelRow.id == model.id, mine(ModelRow))
        .values(**values)
        .returning(ModelRow.id)
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
    query = select(*ModelRow.__table__.c).where(mine(ModelRow))
    query = query.order_by(ModelRow.id.desc()).limit(limit)
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


async def owners_of(
    connection: AsyncConnection, *, provider: str, base_model: str, after: str, limit: int
) -> dict[str, str]:
    """The projects of models that were tuned from a base model, at most `limit` after an id."""
    found = await connection.execute(
        select(ModelRow.id, ModelRow.project_id)
        .where(
            ModelRow.provider == provider,
            ModelRow.base_model == base_model,
            ModelRow.id > after,
            mine(ModelRow),
        )
        .order_by(ModelRow.id)
        .limit(limit)
    )
    return {row.id: row.project_id for row in found}


async def remove(connection: AsyncConnection, model_id: str) -> None:
    """Forget a model."""
    await connection.execute(delete(ModelRow).where(ModelRow.id == model_id, mine(ModelRow)))
    await _tell(connection, "model.deleted", model_id, {})


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
            mine(ModelRow),
            mine(JobRow),
        )
        .order_by(ModelRow.id.desc())
        .limit(limit)
    )
    return [
        Pace(tokens, (end - begun) / 1000)
        for tokens, begun, end in found
        if tokens is not None and begun is not None and end is not None
    ]


async def _tell(
    connection: AsyncConnection, type: str, model_id: str, details: dict[str, Any]
) -> None:
    told = Told(type, model_id, details=details)
    await webhook_deliveries.tell(connection, [told], project_id=tenant().project_id)


def _is_of(bases: Bases) -> ColumnElement[bool]:
    return or_(
        false(),
        *(
            and_(ModelRow.provider == provider, ModelRow.base_model.in_(names))
            for provider, names in bases.items()
        ),
    )
