"""Files as OpenAI keeps them: uploaded, processed or found faulty, read, and deleted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.identity import new_id
from app.sandbox.openai.paging import page, with_ends

FINE_TUNE = "fine-tune"
RESULTS = "fine-tune-results"
MOST_FILES = 10_000


@dataclass(slots=True)
class StoredFile:
    """One file; `fault` is why it cannot be used, times are in seconds since 1970."""

    id: str
    filename: str
    purpose: str
    content: bytes
    created_at: int
    fault: str | None
    expires_at: int | None = None
    looks: int = 0

    def shape(self, looks_needed: int) -> dict[str, Any]:
        """The file on the wire."""
        shape: dict[str, Any] = {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "uploaded",
        }
        if self.expires_at is not None:
            shape["expires_at"] = self.expires_at
        if self.looks >= looks_needed:
            shape["status"] = "error" if self.fault else "processed"
            shape |= {"status_details": self.fault} if self.fault else {}
        return shape


class Files:
    """All files of the account."""

    def __init__(self, conditions: Conditions, clock: Clock) -> None:
        self._conditions = conditions
        self._clock = clock
        self._files: dict[str, StoredFile] = {}

    def create(self, asked: Asked) -> Reply:
        """POST /files"""
        if "file" not in asked.files:
            raise Refused(400, "'file' is a required property", param="file")
        upload = asked.files["file"]
        if len(upload.content) > self._conditions.largest_file:
            raise Refused(
                413,
                f"Maximum file size is {self._conditions.largest_file} bytes",
                code="content_size_limit_exceeded",
            )
        stored = self.store(
            upload.filename, upload.content, asked.body["purpose"], asked.body.get("expires_after")
        )
        return Reply.of(self.shape(stored))

    def list(self, asked: Asked) -> Reply:
        """GET /files"""
        purpose = asked.query.get("purpose")
        files = [file for file in self._living() if purpose in (None, file.purpose)]
        if asked.query.get("order", "desc") == "desc":
            files = files[::-1]
        shapes = [self.shape(file) for file in files]
        listed = page(shapes, asked.query, default=MOST_FILES, most=MOST_FILES)
        return Reply.of(with_ends(listed, ""))

    def retrieve(self, asked: Asked) -> Reply:
        """GET /files/{file_id}"""
        file = self._named(asked)
        file.looks += 1
        return Reply.of(self.shape(file))

    def content(self, asked: Asked) -> Reply:
        """GET /files/{file_id}/content"""
        file = self._named(asked)
        return Reply(pieces=[file.content], media_type="application/octet-stream")

    def delete(self, asked: Asked) -> Reply:
        """DELETE /files/{file_id}"""
        file = self._named(asked)
        del self._files[file.id]
        return Reply.of({"id": file.id, "object": "file", "deleted": True})

    def store(
        self,
        filename: str,
        content: bytes,
        purpose: str,
        expires_after: Mapping[str, Any] | None = None,
    ) -> StoredFile:
        """Keep a file."""
        now = int(self._clock.now())
        seconds = int(expires_after["seconds"]) if expires_after else None
        if seconds is not None and not 3600 <= seconds <= 2_592_000:
            raise Refused(
                400, "seconds must be between 3600 and 2592000", param="expires_after.seconds"
            )
        fault = line_fault(content) if purpose == FINE_TUNE else None
        stored = StoredFile(new_id("file-"), filename, purpose, content, now, fault)
        stored.expires_at = None if seconds is None else now + seconds
        self._files[stored.id] = stored
        return stored

    def shape(self, file: StoredFile) -> dict[str, Any]:
        """A file on the wire."""
        return file.shape(self._conditions.file_looks)

    def for_training(self, file_id: str, param: str) -> StoredFile:
        """A file that a job may use, or `Refused`."""
        file = self.find(file_id)
        if file is None or file.purpose != FINE_TUNE:
            raise Refused(400, f"invalid {param}: {file_id}", code="invalid_file", param=param)
        shape = self.shape(file)
        if shape["status"] == "uploaded":
            raise Refused(
                400,
                f"File '{file_id}' is still being processed and is not ready to be used for "
                "fine-tuning. Please try again later.",
                param=param,
            )
        if shape["status"] == "error":
            raise Refused(400, shape["status_details"], code="invalid_file", param=param)
        return file

    def find(self, file_id: str) -> StoredFile | None:
        """A file that is still there."""
        return next((file for file in self._living() if file.id == file_id), None)

    def _named(self, asked: Asked) -> StoredFile:
        file_id = asked.names["file_id"]
        file = self.find(file_id)
        if file is None:
            raise Refused(404, f"No such File object: {file_id}", param="id")
        return file

    def _living(self) -> Sequence[StoredFile]:
        now = self._clock.now()
        files = self._files.values()
        return [file for file in files if file.expires_at is None or file.expires_at > now]


def line_fault(content: bytes) -> str | None:
    """Why a file is no JSONL, None where it is."""
    if not content.strip():
        return "Invalid file format. The file is empty."
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            value = json.loads(line)
        except ValueError:
            return f"Invalid file format. Line {number} is not valid JSON."
        if not isinstance(value, dict):
            return f"Invalid file format. Line {number} is not a JSON object."
    return None
