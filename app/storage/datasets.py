"""Dataset versions; their examples lie in the blob store under their hash."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Index, UniqueConstraint, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.datasets import Dataset, parse_reference
from app.domain.errors import DatasetNotFound
from app.storage.base import Json, Row
from app.storage.tenancy import Owned, mine, owner


class DatasetRow(Owned, Row):
    """One immutable version of a dataset."""

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("project_id", "name", "version"),
        UniqueConstraint("project_id", "name", "sha256"),
        Index("ix_datasets_project_id_id", "project_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    format: Mapped[str]
    examples: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(index=True)
    tokens: Mapped[int | None] = mapped_column(BigInteger)
    rejected: Mapped[int] = mapped_column(server_default="0")
    rejected_sha256: Mapped[str | None] = mapped_column(index=True)
    parent: Mapped[str | None]
    made_by: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[int] = mapped_column(BigInteger)


class DatasetNameRow(Owned, Row):
    """The last number that a version of a name got: one that was deleted is never given again."""

    __tablename__ = "dataset_names"

    project_id: Mapped[str] = owner(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    last_version: Mapped[int]


async def add(connection: AsyncConnection, dataset: Dataset) -> None:
    """Store a new version."""
    await connection.execute(insert(DatasetRow).values(**msgspec.to_builtins(dataset)))


async def get(connection: AsyncConnection, reference: str) -> Dataset:
    """The dataset of an id, `name` (its newest version) or `name@3`; raises `DatasetNotFound`."""
    query = select(*DatasetRow.__table__.c).where(mine(DatasetRow))
    if reference.startswith("ds_"):
        by_id = (await connection.execute(query.where(DatasetRow.id == reference))).mappings()
        row = by_id.one_or_none()
        if row is not None:
            return msgspec.convert(dict(row), Dataset)
    named = parse_reference(reference)
    if named is None:
        raise DatasetNotFound(f"There is no dataset {reference!r}.")
    name, version = named
    query = query.where(DatasetRow.name == name).order_by(DatasetRow.version.desc()).limit(1)
    if version is not None:
        query = query.where(DatasetRow.version == version)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise DatasetNotFound(f"There is no dataset {reference!r}.")
    return msgspec.convert(dict(row), Dataset)


async def hold(connection: AsyncConnection, dataset_id: str) -> None:
    """Keep the version from being removed until the transaction ends."""
    held = await connection.execute(
        select(DatasetRow.id)
        .where(DatasetRow.id == dataset_id, mine(DatasetRow))
        .with_for_update(read=True)
    )
    if held.scalar_one_or_none() is None:
        raise DatasetNotFound(f"Dataset {dataset_id!r} was just removed.")


async def find_content(connection: AsyncConnection, name: str, sha256: str) -> Dataset | None:
    """The version of that name with that very content."""
    found = await connection.execute(
        select(*DatasetRow.__table__.c).where(
            DatasetRow.name == name, DatasetRow.sha256 == sha256, mine(DatasetRow)
        )
    )
    row = found.mappings().one_or_none()
    return None if row is None else msgspec.convert(dict(row), Dataset)


async def find_by_content(connection: AsyncConnection, sha256: str) -> Dataset | None:
    """The oldest version with that very content, whatever its name."""
    found = await connection.execute(
        select(*DatasetRow.__table__.c)
        .where(DatasetRow.sha256 == sha256, mine(DatasetRow))
        .order_by(DatasetRow.id)
        .limit(1)
    )
    row = found.mappings().one_or_none()
    return None if row is None else msgspec.convert(dict(row), Dataset)


async def find_many(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Dataset]:
    """The versions of those ids that exist."""
    found = await connection.execute(
        select(*DatasetRow.__table__.c).where(DatasetRow.id.in_(ids), mine(DatasetRow))
    )
    return {row["id"]: msgspec.convert(dict(row), Dataset) for row in found.mappings()}


async def take_version(connection: AsyncConnection, name: str) -> int:
    """The next number of the name, given once; IntegrityError where another made the name first."""
    taken = await connection.execute(
        update(DatasetNameRow)
        .where(DatasetNameRow.name == name, mine(DatasetNameRow))
        .values(last_version=DatasetNameRow.last_version + 1)
        .returning(DatasetNameRow.last_version)
    )
    version = taken.scalar_one_or_none()
    if version is None:
        version = 1
        await connection.execute(insert(DatasetNameRow).values(name=name, last_version=version))
    return version


async def find_before(connection: AsyncConnection, dataset: Dataset) -> Dataset | None:
    """The version of the same name that came before and is still there."""
    found = await connection.execute(
        select(*DatasetRow.__table__.c)
        .where(
            DatasetRow.name == dataset.name,
            DatasetRow.version < dataset.version,
            mine(DatasetRow),
        )
        .order_by(DatasetRow.version.desc())
        .limit(1)
    )
    row = found.mappings().one_or_none()
    return None if row is None else msgspec.convert(dict(row), Dataset)


async def list_page(
    connection: AsyncConnection, *, name: str | None, before: str | None, limit: int
) -> list[Dataset]:
    """At most `limit` versions, newest first, older than the dataset id `before`."""
    query = select(*DatasetRow.__table__.c).where(mine(DatasetRow))
    query = query.order_by(DatasetRow.id.desc()).limit(limit)
    if name is not None:
        query = query.where(DatasetRow.name == name)
    if before is not None:
        query = query.where(DatasetRow.id < before)
    return [
        msgspec.convert(dict(row), Dataset) for row in (await connection.execute(query)).mappings()
    ]


async def set_tokens(connection: AsyncConnection, dataset_id: str, tokens: int) -> None:
    """Tell how many tokens the examples of a version are."""
    await connection.execute(
        update(DatasetRow)
        .where(DatasetRow.id == dataset_id, mine(DatasetRow))
        .values(tokens=tokens)
    )


async def set_rejected(
    connection: AsyncConnection, dataset: Dataset, *, rejected: int, sha256: str
) -> Dataset:
    """Let a version's rejected rows be those of the upload that came last."""
    await connection.execute(
        update(DatasetRow)
        .where(DatasetRow.id == dataset.id, mine(DatasetRow))
        .values(rejected=rejected, rejected_sha256=sha256)
    )
    return msgspec.structs.replace(dataset, rejected=rejected, rejected_sha256=sha256)


async def remove(connection: AsyncConnection, dataset: Dataset) -> None:
    """Forget a version; its blobs may go where `is_content_used` says so."""
    await connection.execute(
        delete(DatasetRow).where(DatasetRow.id == dataset.id, mine(DatasetRow))
    )


async def is_content_used(connection: AsyncConnection, sha256: str) -> bool:
    """Whether some version has this content, as examples or as rejected rows."""
    found = await connection.execute(
        select(DatasetRow.id)
        .where(
            or_(DatasetRow.sha256 == sha256, DatasetRow.rejected_sha256 == sha256),
            mine(DatasetRow),
        )
        .limit(1)
    )
    return found.scalar_one_or_none() is not None
