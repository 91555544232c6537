"""Uploads in parts: begun, fed, and completed to a file, or cancelled."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.files import Files, StoredFile
from app.sandbox.openai.identity import new_id

HOUR = 3600


@dataclass(slots=True)
class Upload:
    """One upload; `size` is what was announced, in bytes."""

    id: str
    filename: str
    purpose: str
    size: int
    created_at: int
    expires_after: dict[str, Any] | None
    status: str = "pending"
    parts: dict[str, bytes] = field(default_factory=dict[str, bytes])


class Uploads:
    """All uploads of the account."""

    def __init__(self, files: Files, conditions: Conditions, clock: Clock) -> None:
        self._files = files
        self._conditions = conditions
        self._clock = clock
        self._uploads: dict[str, Upload] = {}

    def create(self, asked: Asked) -> Reply:
        """POST /uploads"""
        body = asked.body
        upload = Upload(
            new_id("upload_"),
            body["filename"],
            body["purpose"],
            body["bytes"],
            int(self._clock.now()),
            body.get("expires_after"),
        )
        self._uploads[upload.id] = upload
        return Reply.of(_shape(upload))

    def add_part(self, asked: Asked) -> Reply:
        """POST /uploads/{upload_id}/parts"""
        upload = self._pending(asked)
        if "data" not in asked.files:
            raise Refused(400, "'data' is a required property", param="data")
        content = asked.files["data"].content
        if len(content) > self._conditions.largest_part:
            raise Refused(400, f"Maximum part size is {self._conditions.largest_part} bytes")
        part_id = new_id("part_")
        upload.parts[part_id] = content
        return Reply.of(
            {
                "id": part_id,
                "object": "upload.part",
                "created_at": int(self._clock.now()),
                "upload_id": upload.id,
            }
        )

    def complete(self, asked: Asked) -> Reply:
        """POST /uploads/{upload_id}/complete"""
        upload = self._pending(asked)
        content = self._assemble(upload, asked.body)
        stored = self._files.store(upload.filename, content, upload.purpose, upload.expires_after)
        upload.status = "completed"
        upload.parts.clear()
        return Reply.of(_shape(upload) | {"file": self._file(stored)})

    def cancel(self, asked: Asked) -> Reply:
        """POST /uploads/{upload_id}/cancel"""
        upload = self._pending(asked)
        upload.status = "cancelled"
        upload.parts.clear()
        return Reply.of(_shape(upload))

    def _assemble(self, upload: Upload, body: dict[str, Any]) -> bytes:
        missing = [part_id for part_id in body["part_ids"] if part_id not in upload.parts]
        if missing:
            raise Refused(400, f"No such part: {missing[0]}", param="part_ids")
        content = b"".join(upload.parts[part_id] for part_id in body["part_ids"])
        if len(content) != upload.size:
            raise Refused(400, f"Expected {upload.size} bytes, got {len(content)}")
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if body.get("md5") not in (None, digest):
            raise Refused(400, "The md5 of the parts is another one", param="md5")
        return content

    def _file(self, stored: StoredFile) -> dict[str, Any]:
        return self._files.shape(stored)

    def _pending(self, asked: Asked) -> Upload:
        upload_id = asked.names["upload_id"]
        if upload_id not in self._uploads:
            raise Refused(404, f"No such Upload object: {upload_id}", param="id")
        upload = self._uploads[upload_id]
        if upload.status == "pending" and self._clock.now() > upload.created_at + HOUR:
            upload.status = "expired"
        if upload.status != "pending":
            raise Refused(400, f"Upload {upload_id} is {upload.status}")
        return upload


def _shape(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.size,
        "created_at": upload.created_at,
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": upload.status,
        "expires_at": upload.created_at + HOUR,
    }
