"""Files at the vendor, found again by what is in them, so that nothing is uploaded twice."""

import asyncio
from collections.abc import Iterable
from typing import Any

import openai
from openai import AsyncOpenAI
from openai.types import FileObject

from app.domain.errors import Later, Never
from app.providers.openai_wire.refusals import Unanswered
from app.providers.openai_wire.sending import SentFile

LARGEST_FILE = 512 * 1024 * 1024
"""What the Files API takes at once; beyond it a file goes in parts."""

PART_BYTES = 64 * 1024 * 1024

UPLOAD_SECONDS = 300.0
"""How long the vendor may take over an upload's last byte."""

PROCESSING_SECONDS = 3.0

_UNPROCESSED = frozenset({"uploaded", "pending", "running"})
_LOST = frozenset({"error", "deleting", "deleted"})


class Gone(Later):
    """The file has to be uploaded again."""


class Files:
    """The training files of one account."""

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        largest_file: int = LARGEST_FILE,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._client = client
        self._largest_file = largest_file
        self._part_bytes = part_bytes

    async def put(self, sent: SentFile) -> str:
        """The id of a file with these bytes: one that is there already, or a new one."""
        page = await self._client.files.list(purpose="fine-tune")
        for file in _read(page.data):
            is_same = file.filename == sent.name and file.bytes == sent.size
            if is_same and file.status not in _LOST:
                return file.id
        sent.file.seek(0)
        upload = self._upload if sent.size <= self._largest_file else self._upload_in_parts
        file = await upload(sent)
        if not file.id:
            raise Unanswered("the upload was answered without a file")
        return file.id

    async def require_ready(self, file_id: str) -> None:
        """Return once the vendor has read the file.

        `Later` before that, `Gone` where the file was removed, `Never` where it is refused.
        """
        try:
            file = await self._client.files.retrieve(file_id)
        except openai.NotFoundError:
            raise Gone("The file was removed at the vendor.", retry_after=0.0) from None
        if file.status in _UNPROCESSED:
            raise Later("The vendor is reading the file.", retry_after=PROCESSING_SECONDS)
        if file.status == "error":
            raise Never(
                file.status_details or "The vendor refuses the file.",
                code="file_rejected",
                hint="Mend the dataset and create a new job.",
            )

    async def content(self, file_id: str) -> bytes:
        """The bytes of a file; none of one that is gone."""
        try:
            answer = await self._client.files.content(file_id)
        except openai.NotFoundError:
            return b""
        return answer.content

    async def delete(self, ids: Iterable[str]) -> None:
        """Remove files; what is gone is gone."""
        for file_id in ids:
            try:
                await self._client.files.delete(file_id)
            except openai.NotFoundError:
                continue

    async def _upload(self, sent: SentFile) -> FileObject:
        return await self._client.files.create(
            file=(sent.name, sent.file, "application/jsonl"),
            purpose="fine-tune",
            timeout=UPLOAD_SECONDS,
        )

    async def _upload_in_parts(self, sent: SentFile) -> FileObject:
        upload = await self._client.uploads.create(
            bytes=sent.size,
            filename=sent.name,
            mime_type="application/jsonl",
            purpose="fine-tune",
            timeout=UPLOAD_SECONDS,
        )
        parts: list[str] = []
        while data := await asyncio.to_thread(sent.file.read, self._part_bytes):
            part = await self._client.uploads.parts.create(
                upload.id, data=data, timeout=UPLOAD_SECONDS
            )
            parts.append(part.id)
        done = await self._client.uploads.complete(
            upload.id, part_ids=parts, timeout=UPLOAD_SECONDS
        )
        if done.file is None:
            raise Unanswered("the upload was completed without a file")
        return done.file


def _read(files: Any) -> list[FileObject]:
    """A list as it was promised: an unreadable one is not an empty one."""
    if not isinstance(files, list):
        raise Unanswered("the list of files cannot be read")
    return files  # pyright: ignore[reportUnknownVariableType] - the SDK's own items
