"""Files of the OpenAI door; their contents are blobs, but for results."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, Index, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import FileNotFound
from app.domain.files import File
from app.storage.base import Row
from app.storage.tenancy import Owned, mine


class FileRow(Owned, Row):
    """A file; the columns are the fields of `domain.files.File`."""

    __tablename__ = "files"
    __table_args__ = (Index("ix_files_project_id_id", "project_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    filename: Mapped[str]
    purpose: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(index=True)
    fault: Mapped[str | None]
    dataset_id: Mapped[str | None] = mapped_column(index=True)
    is_owner: Mapped[bool]
    job_id: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, file: File) -> None:
    """Store a new file."""
    await connection.execute(insert(FileRow).values(**msgspec.to_builtins(file)))


async def get(connection: AsyncConnection, file_id: str) -> File:
    """The file of that id; raises `FileNotFound`."""
    found = await connection.execute(
        select(*FileRow.__table__.c).where(FileRow.id == file_id, mine(FileRow))
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise FileNotFound(f"No such File object: {file_id}")
    return msgspec.convert(dict(row), File)


async def list_page(
    connection: AsyncConnection,
    *,
    purpose: str | None,
    after: str | None,
    limit: int,
    is_oldest_first: bool = False,
) -> list[File]:
    """At most `limit` files in order of creation, those that follow the file id `after`."""
    order = FileRow.id.asc() if is_oldest_first else FileRow.id.desc()
    query = select(*FileRow.__table__.c).where(mine(FileRow)).order_by(order).limit(limit)
    if purpose is not None:
        query = query.where(FileRow.purpose == purpose)
    if after is not None:
        query = query.where(FileRow.id > after if is_oldest_first else FileRow.id < after)
    return [
        msgspec.convert(dict(row), File) for row in (await connection.execute(query)).mappings()
    ]


async def of_dataset(connection: AsyncConnection, dataset_id: str) -> list[File]:
    """Every file whose rows are this dataset version."""
    found = await connection.execute(
        select(*FileRow.__table__.c)
        .where(FileRow.dataset_id == dataset_id, mine(FileRow))
        .order_by(FileRow.id)
    )
    return [msgspec.convert(dict(row), File) for row in found.mappings()]


async def results_of(connection: AsyncConnection, job_ids: Sequence[str]) -> dict[str, list[str]]:
    """The ids of the results files of jobs."""
    found = await connection.execute(
        select(FileRow.job_id, FileRow.id)
        .where(FileRow.job_id.in_(job_ids), mine(FileRow))
        .order_by(FileRow.id)
    )
    results: dict[str, list[str]] = {job_id: [] for job_id in job_ids}
    for job_id, file_id in found:
        results[job_id or ""].append(file_id)
    return results


async def remove(connection: AsyncConnection, file_id: str) -> None:
    """Forget a file."""
    await connection.execute(delete(FileRow).where(FileRow.id == file_id, mine(FileRow)))


async def is_content_used(connection: AsyncConnection, sha256: str) -> bool:
    """Whether some file has this content."""
    found = await connection.execute(
        select(FileRow.id).where(FileRow.sha256 == sha256, mine(FileRow)).limit(1)
    )
    return found.scalar_one_or_none() is not None
