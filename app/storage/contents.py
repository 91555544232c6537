"""Which contents of the blob store something still needs."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage import datasets, files, uploads
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.tenancy import as_service


async def is_used(connection: AsyncConnection, sha256: str) -> bool:
    """Whether a dataset version, a file or a part of an upload of any project has this content."""
    with as_service():
        return (
            await datasets.is_content_used(connection, sha256)
            or await files.is_content_used(connection, sha256)
            or await uploads.is_content_used(connection, sha256)
        )


async def drop_unused(database: Database, blobs: Blobs, *hashes: str | None) -> None:
    """Remove the contents that nothing needs any more."""
    for sha256 in filter(None, hashes):
        async with database.read() as connection:
            is_needed = await is_used(connection, sha256)
        if not is_needed:
            await blobs.remove(sha256)
