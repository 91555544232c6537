"""The operations of OpenAI's API that are simulated, each with the SDK's own types."""

from typing import Literal, Required

from openai import types
from openai.types import chat, fine_tuning, uploads
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.file_create_params import ExpiresAfter
from openai.types.fine_tuning import jobs
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from app.sandbox.frame.operations import Operation
from app.sandbox.openai.account import Account

_FILE = "/files/{file_id}"
_JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
_UPLOAD = "/uploads/{upload_id}"
_MODEL = "/models/{model}"


class FileForm(TypedDict, total=False):
    """`FileCreateParams` as a form: the file is named, its bytes come beside."""

    file: Required[str]
    purpose: Required[types.FilePurpose]
    expires_after: ExpiresAfter


class PartForm(TypedDict):
    """`PartCreateParams` as a form."""

    data: str


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    object: Literal["list"]
    has_more: bool
    first_id: str | None = None
    last_id: str | None = None


class FilePage(_Page):
    """A page of files."""

    data: list[types.FileObject]


class JobPage(_Page):
    """A page of jobs."""

    data: list[fine_tuning.FineTuningJob]


class EventPage(_Page):
    """A page of events."""

    data: list[fine_tuning.FineTuningJobEvent]


class CheckpointPage(_Page):
    """A page of checkpoints."""

    data: list[FineTuningJobCheckpoint]


class ModelPage(BaseModel):
    """All models; this list has no pages."""

    model_config = ConfigDict(extra="forbid")

    object: Literal["list"]
    data: list[types.Model]


def operations(account: Account) -> list[Operation]:
    """All of them."""
    return [
        *_file_operations(account),
        *_upload_operations(account),
        *_job_operations(account),
        *_model_operations(account),
    ]


def _file_operations(account: Account) -> list[Operation]:
    files = account.files
    file = types.FileObject
    return [
        Operation("POST", "/files", files.create, body=FileForm, answer=file),
        Operation("GET", "/files", files.list, query=types.FileListParams, answer=FilePage),
        Operation("GET", _FILE, files.retrieve, answer=file),
        Operation("GET", f"{_FILE}/content", files.content),
        Operation("DELETE", _FILE, files.delete, answer=types.FileDeleted),
    ]


def _upload_operations(account: Account) -> list[Operation]:
    upload = account.uploads
    return [
        Operation(
            "POST", "/uploads", upload.create, body=types.UploadCreateParams, answer=types.Upload
        ),
        Operation(
            "POST", f"{_UPLOAD}/parts", upload.add_part, body=PartForm, answer=uploads.UploadPart
        ),
        Operation(
            "POST",
            f"{_UPLOAD}/complete",
            upload.complete,
            body=types.UploadCompleteParams,
            answer=types.Upload,
        ),
        Operation("POST", f"{_UPLOAD}/cancel", upload.cancel, answer=types.Upload),
    ]


def _job_operations(account: Account) -> list[Operation]:
    kept = account.jobs
    job = fine_tuning.FineTuningJob
    return [
        Operation(
            "POST", "/fine_tuning/jobs", kept.create, body=fine_tuning.JobCreateParams, answer=job
        ),
        Operation(
            "GET", "/fine_tuning/jobs", kept.list, query=fine_tuning.JobListParams, answer=JobPage
        ),
        Operation("GET", _JOB, kept.retrieve, answer=job),
        Operation("POST", f"{_JOB}/pause", kept.pause, answer=job),
        Operation("POST", f"{_JOB}/resume", kept.resume, answer=job),
        Operation("POST", f"{_JOB}/cancel", kept.cancel, answer=job),
        Operation(
            "GET",
            f"{_JOB}/events",
            kept.events,
            query=fine_tuning.JobListEventsParams,
            answer=EventPage,
        ),
        Operation(
            "GET",
            f"{_JOB}/checkpoints",
            kept.checkpoints,
            query=jobs.CheckpointListParams,
            answer=CheckpointPage,
        ),
    ]


def _model_operations(account: Account) -> list[Operation]:
    models = account.models
    return [
        Operation("GET", "/models", models.list, answer=ModelPage),
        Operation("GET", _MODEL, models.retrieve, answer=types.Model),
        Operation("DELETE", _MODEL, models.delete, answer=types.ModelDeleted),
        Operation(
            "POST",
            "/chat/completions",
            account.chat.create,
            body=CompletionCreateParams,
            answer=chat.ChatCompletion,
            piece=chat.ChatCompletionChunk,
        ),
    ]
