"""Files as OpenAI's API knows them: uploads whose rows became a dataset, and results of jobs."""

import re
from enum import StrEnum

import msgspec

from app.domain.jobs import Millis


class Purpose(StrEnum):
    """What a file is for, in OpenAI's words."""

    TRAINING = "fine-tune"
    RESULTS = "fine-tune-results"


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file; an upload's content lies under `sha256`, results are written when asked for.

    An upload whose rows are wrong has a `fault` and no dataset.
    """

    id: str
    filename: str
    purpose: Purpose
    bytes: int
    sha256: str | None = None
    fault: str | None = None
    dataset_id: str | None = None
    is_owner: bool = False
    """Whether the dataset came with this file and goes with the last one that holds it."""

    job_id: str | None = None
    """The job whose results these are."""

    created_at: Millis


class UploadStatus(StrEnum):
    """Where an upload in parts stands."""

    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that comes in parts; `bytes` is what was announced."""

    id: str
    filename: str
    bytes: int
    status: UploadStatus = UploadStatus.PENDING
    file_id: str | None = None
    created_at: Millis
    expires_at: Millis


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an upload, kept by its content."""

    id: str
    upload_id: str
    bytes: int
    sha256: str
    created_at: Millis


def dataset_name(filename: str) -> str:
    """The name under which a file's versions are collected: its own, as far as it can be."""
    bare = re.split(r"[/\\]", filename)[-1].partition(".")[0]
    fitting = re.sub(r"[^a-zA-Z0-9._-]+", "-", bare).lstrip("._-")[:100]
    return fitting or "file"
