"""Uploads: large files in parts, each kept by its content until the whole is put together."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from app.domain.errors import TooLarge, UploadClosed, UploadUnfit
from app.domain.files import File, Part, Upload, UploadStatus
from app.domain.idempotency import Idempotency
from app.services.created import Created
from app.services.files import Files
from app.services.once import once
from app.services.receiving import Received, Receiving
from app.storage import idempotency, uploads
from app.storage.blobs import Blobs
from app.storage.contents import drop_unused
from app.storage.database import Database
from app.storage.ids import new_id

HOUR = 3_600_000


class Uploads:
    """What a user does with uploads."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        files: Files,
        receiving: Receiving,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._files = files
        self._receiving = receiving
        self._clock = clock

    async def begin(
        self, filename: str, size: int, key: Idempotency | None = None
    ) -> Created[Upload]:
        """Announce a file of so many bytes; its parts have an hour to come."""
        if size > self._receiving.max_bytes:
            raise TooLarge(f"A file may have {self._receiving.max_bytes} bytes.")

        async def make() -> Created[Upload]:
            await self._let_go_of_overdue()
            now = self._clock()
            upload = Upload(
                id=new_id("upload"),
                filename=filename,
                bytes=size,
                created_at=now,
                expires_at=now + HOUR,
            )
            async with self._database.write() as connection:
                await idempotency.keep(connection, key, upload)
                await uploads.add(connection, upload)
            return Created(upload)

        return await once(self._database, key, Upload, make)

    async def add_part(self, upload_id: str, received: Received) -> Part:
        """Keep a part; raises `UploadClosed` where nothing is waited for."""
        await self._blobs.put(received.sha256, received.path)
        part = Part(
            id=new_id("part"),
            upload_id=upload_id,
            bytes=received.size,
            sha256=received.sha256,
            created_at=self._clock(),
        )
        try:
            async with self._database.write() as connection:
                self._require_pending(await uploads.get(connection, upload_id, lock=True))
                await uploads.add_part(connection, part)
        finally:
            await drop_unused(self._database, self._blobs, received.sha256)
        # Another upload's end may have removed the same content before this commit.
        await self._blobs.put(received.sha256, received.path)
        return part

    async def complete(
        self, upload_id: str, part_ids: Sequence[str], md5: str | None
    ) -> tuple[Upload, File]:
        """Make a file of the parts in this order; raises `UploadUnfit`.

        The same once more, after an answer that was lost, gives the same file.
        """
        key = _key(upload_id, part_ids)

        async def make() -> Created[File]:
            parts = await self._chosen(upload_id, part_ids)
            async with self._receiving.take(self._joined(parts)) as received:
                if md5 not in (None, received.md5):
                    raise UploadUnfit(f"The parts' md5 is {received.md5}, not {md5}.")
                upload = await self._get(upload_id)
                return await self._files.create(received, upload.filename, key)

        file = (await once(self._database, key, File, make)).thing
        return await self._end(upload_id, UploadStatus.COMPLETED, file), file

    async def cancel(self, upload_id: str) -> Upload:
        """Let go of an upload and its parts."""
        return await self._end(upload_id, UploadStatus.CANCELLED)

    async def _chosen(self, upload_id: str, part_ids: Sequence[str]) -> list[Part]:
        """The parts in order, once they are what was announced."""
        async with self._database.read() as connection:
            upload = await uploads.get(connection, upload_id)
            self._require_pending(upload)
            there = await uploads.parts(connection, upload_id)
        missing = [part_id for part_id in part_ids if part_id not in there]
        if missing:
            raise UploadUnfit(f"No such part: {missing[0]}")
        parts = [there[part_id] for part_id in part_ids]
        size = sum(part.bytes for part in parts)
        if size != upload.bytes:
            raise UploadUnfit(f"The parts have {size} bytes; {upload.bytes} were announced.")
        return parts

    async def _joined(self, parts: Sequence[Part]) -> AsyncIterator[bytes]:
        for part in parts:
            async for piece in self._blobs.chunks(part.sha256):
                yield piece

    async def _end(self, upload_id: str, status: UploadStatus, file: File | None = None) -> Upload:
        async with self._database.write() as connection:
            upload = await uploads.get(connection, upload_id, lock=True)
            if file is not None and upload.file_id == file.id:
                return upload
            self._require_pending(upload)
            parts = await uploads.parts(connection, upload_id)
            ended = await uploads.end(connection, upload, status, file_id=file.id if file else None)
        await self._drop(parts.values())
        return ended

    async def _let_go_of_overdue(self) -> None:
        """Forget the parts of uploads that nobody completed in time."""
        async with self._database.write() as connection:
            overdue = await uploads.overdue(connection, self._clock())
            parts = [
                part
                for upload in overdue
                for part in (await uploads.parts(connection, upload.id)).values()
            ]
            for upload in overdue:
                await uploads.end(connection, upload, UploadStatus.EXPIRED)
        await self._drop(parts)

    async def _get(self, upload_id: str) -> Upload:
        async with self._database.read() as connection:
            return await uploads.get(connection, upload_id)

    async def _drop(self, parts: Iterable[Part]) -> None:
        await drop_unused(self._database, self._blobs, *{part.sha256 for part in parts})

    def _require_pending(self, upload: Upload) -> None:
        is_late = upload.expires_at <= self._clock()
        status = upload.status
        if status is UploadStatus.PENDING and is_late:
            status = UploadStatus.EXPIRED
        if status is not UploadStatus.PENDING:
            raise UploadClosed(f"Upload {upload.id} is {status}.")


def _key(upload_id: str, part_ids: Sequence[str]) -> Idempotency:
    fingerprint = hashlib.sha256("\n".join(part_ids).encode()).hexdigest()
    return Idempotency("complete_upload", upload_id, fingerprint)
