"""Uploads in parts; each part is a blob until the whole is put together."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, ForeignKey, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import UploadNotFound
from app.domain.files import Part, Upload, UploadStatus
from app.domain.jobs import Millis
from app.storage.base import Row
from app.storage.tenancy import Owned, mine


class UploadRow(Owned, Row):
    """An upload; the columns are the fields of `domain.files.Upload`."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(primary_key=True)
    filename: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]
    file_id: Mapped[str | None]
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class PartRow(Row):
    """A part that has come; gone once its upload has ended."""

    __tablename__ = "upload_parts"

    id: Mapped[str] = mapped_column(primary_key=True)
    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, upload: Upload) -> None:
    """Store a new upload."""
    await connection.execute(insert(UploadRow).values(**msgspec.to_builtins(upload)))


async def get(connection: AsyncConnection, upload_id: str, *, lock: bool = False) -> Upload:
    """The upload of that id, held against other writers if wanted; raises `UploadNotFound`."""
    query = select(*UploadRow.__table__.c).where(UploadRow.id == upload_id, mine(UploadRow))
    found = await connection.execute(query.with_for_update() if lock else query)
    row = found.mappings().one_or_none()
    if row is None:
        raise UploadNotFound(f"No such Upload object: {upload_id}")
    return msgspec.convert(dict(row), Upload)


async def add_part(connection: AsyncConnection, part: Part) -> None:
    """Store a part that has come."""
    await connection.execute(insert(PartRow).values(**msgspec.to_builtins(part)))


async def parts(connection: AsyncConnection, upload_id: str) -> dict[str, Part]:
    """All parts of an upload by their ids."""
    found = await connection.execute(
        select(*PartRow.__table__.c).where(PartRow.upload_id == upload_id)
    )
    return {row["id"]: msgspec.convert(dict(row), Part) for row in found.mappings()}


async def end(
    connection: AsyncConnection, upload: Upload, status: UploadStatus, *, file_id: str | None = None
) -> Upload:
    """Close an upload and forget its parts; their blobs may go where nothing else has them."""
    await connection.execute(
        update(UploadRow)
        .where(UploadRow.id == upload.id, mine(UploadRow))
        .values(status=status, file_id=file_id)
    )
    await connection.execute(delete(PartRow).where(PartRow.upload_id == upload.id))
    return msgspec.structs.replace(upload, status=status, file_id=file_id)


async def overdue(connection: AsyncConnection, now: Millis) -> Sequence[Upload]:
    """Uploads that nobody completed in time."""
    found = await connection.execute(
        select(*UploadRow.__table__.c)
        .where(
            UploadRow.status == UploadStatus.PENDING, UploadRow.expires_at <= now, mine(UploadRow)
        )
        .with_for_update()
    )
    return [msgspec.convert(dict(row), Upload) for row in found.mappings()]


async def is_content_used(connection: AsyncConnection, sha256: str) -> bool:
    """Whether some part that waits has this content."""
    found = await connection.execute(select(PartRow.id).where(PartRow.sha256 == sha256).limit(1))
    return found.scalar_one_or_none() is not None
