"""Uploads: a large file in parts."""

from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.openai import files
from app.api.openai.files import FaultyFileOut, FileOut
from app.api.openai.refusals import responses
from app.api.openai.shapes import Seconds
from app.api.shapes import In, Out, answer
from app.api.uploads import Form
from app.domain.files import Purpose, UploadStatus

router = APIRouter(prefix="/uploads", tags=["openai"])

MOST_PART_BYTES = 64 * 1024 * 1024

PART = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["data"],
                "properties": {"data": {"type": "string", "format": "binary"}},
            }
        }
    },
}


class UploadIn(In):
    """A file that is going to come."""

    filename: str = Field(min_length=1, max_length=500, examples=["train.jsonl"])
    purpose: str = Field(examples=[Purpose.TRAINING])
    bytes: int = Field(ge=1, description="Of the whole file.")
    mime_type: str = Field(examples=["text/jsonl"])
    expires_after: dict[str, Any] | None = Field(default=None, description="Not offered here.")


class CompletionIn(In):
    """What the file is made of."""

    part_ids: list[str] = Field(min_length=1, description="In the order of their bytes.")
    md5: str | None = Field(default=None, description="Of the whole, in hexadecimal digits.")


class UploadOut(Out):
    """An upload."""

    id: str
    object: Literal["upload"] = "upload"
    bytes: int
    created_at: Seconds
    expires_at: Seconds
    filename: str
    purpose: Purpose = Purpose.TRAINING
    status: UploadStatus


class CompletedUploadOut(UploadOut):
    """An upload that became a file."""

    file: FileOut | FaultyFileOut


class PartOut(Out):
    """A part that has come."""

    id: str
    object: Literal["upload.part"] = "upload.part"
    created_at: Seconds
    upload_id: str


@router.post(
    "",
    operation_id="create_upload",
    summary="Begin an upload in parts",
    response_model=UploadOut,
    responses=responses(400, 413),
)
async def create_upload(use: Use, body: UploadIn, key: KeyHeader = None) -> Response:
    """Announce a file; its parts have an hour to come."""
    given = body.model_dump(include={"purpose", "expires_after"}, exclude_none=True)
    files.require_training(given)
    wanted = key_for("openai_upload", key, body)
    created = await use.uploads.begin(body.filename, body.bytes, wanted)
    return answer(
        UploadOut.model_validate(created.thing), headers=replay_headers(created.is_replay)
    )


@router.post(
    "/{upload_id}/parts",
    operation_id="create_upload_part",
    summary="Add a part to an upload",
    response_model=PartOut,
    responses=responses(400, 404, 413),
    openapi_extra={"requestBody": PART},
)
async def create_upload_part(request: Request, use: Use, upload_id: str) -> Response:
    """Send 64 MiB at the most; parts may come side by side."""
    form = Form(request, file_field="data")
    pieces = form.file_pieces()
    async with use.receiving.take(pieces, max_bytes=MOST_PART_BYTES) as received:
        part = await use.uploads.add_part(upload_id, received)
    return answer(PartOut.model_validate(part))


@router.post(
    "/{upload_id}/complete",
    operation_id="complete_upload",
    summary="Complete an upload",
    response_model=CompletedUploadOut,
    responses=responses(400, 404),
)
async def complete_upload(use: Use, upload_id: str, body: CompletionIn) -> Response:
    """Make the file; asking again with the same parts answers the same file."""
    upload, file = await use.uploads.complete(upload_id, body.part_ids, body.md5)
    shown = msgspec.structs.asdict(upload) | {"file": files.shape(file)}
    return answer(CompletedUploadOut.model_validate(shown))


@router.post(
    "/{upload_id}/cancel",
    operation_id="cancel_upload",
    summary="Cancel an upload",
    response_model=UploadOut,
    responses=responses(400, 404),
)
async def cancel_upload(use: Use, upload_id: str) -> Response:
    """Let go of the upload and its parts."""
    return answer(UploadOut.model_validate(await use.uploads.cancel(upload_id)))
