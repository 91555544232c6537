"""Files: training data that comes in, and results that go out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.openai.refusals import responses
from app.api.openai.shapes import After, EndedListOut, Seconds, after_file
from app.api.shapes import Out, answer
from app.api.uploads import Form
from app.domain.errors import Fault, Invalid
from app.domain.files import File, Purpose

router = APIRouter(prefix="/files", tags=["openai"])

FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "purpose"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "JSON Lines."},
                    "purpose": {"type": "string", "enum": [Purpose.TRAINING]},
                },
            }
        }
    },
}


class FileOut(Out):
    """A file; `error` says that its rows are wrong, and `status_details` which."""

    id: str = Field(examples=["file-01k8zq3v6m4y7d2n9h5c0x1b8t"])
    object: Literal["file"] = "file"
    bytes: int
    created_at: Seconds
    filename: str
    purpose: Purpose
    status: Literal["processed", "error"]


class FaultyFileOut(FileOut):
    """A file whose rows are wrong."""

    status_details: str


class DeletedFileOut(Out):
    """That a file is gone."""

    id: str
    object: Literal["file"] = "file"
    deleted: bool = True


def shape(file: File) -> FileOut | FaultyFileOut:
    """A file as OpenAI shows it."""
    shown = {
        "id": file.id,
        "bytes": file.bytes,
        "created_at": file.created_at,
        "filename": file.filename,
        "purpose": file.purpose,
    }
    if file.fault is None:
        return FileOut.model_validate(shown | {"status": "processed"})
    return FaultyFileOut.model_validate(shown | {"status": "error", "status_details": file.fault})


@router.post(
    "",
    operation_id="create_file",
    summary="Upload a file",
    response_model=FileOut | FaultyFileOut,
    responses=responses(400, 413),
    openapi_extra={"requestBody": FORM},
)
async def create_file(request: Request, use: Use, key: KeyHeader = None) -> Response:
    """Check training data while it comes and keep it; wrong rows make its status `error`."""
    form = Form(request, file_field="file")
    await form.find_file()
    async with use.receiving.take(form.file_pieces()) as received:
        require_training(form.fields)
        filename = form.filename or "file.jsonl"
        content = f"{filename}\n{received.sha256}".encode()
        wanted = None if key is None else with_fingerprint("openai_file", key, content)
        created = await use.files.create(received, filename, wanted)
    return answer(shape(created.thing), headers=replay_headers(created.is_replay))


@router.get(
    "",
    operation_id="list_files",
    summary="List files",
    response_model=EndedListOut[FileOut | FaultyFileOut],
    responses=responses(400),
)
async def list_files(
    use: Use,
    purpose: str | None = None,
    order: Literal["asc", "desc"] = "desc",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    after: After = None,
) -> Response:
    """Files, the newest first unless asked otherwise."""
    found = await use.files.list_page(
        purpose=purpose,
        after=after_file(after),
        limit=limit + 1,
        is_oldest_first=order == "asc",
    )
    data = [shape(file) for file in found[:limit]]
    return answer(
        EndedListOut[FileOut | FaultyFileOut](
            data=data,
            has_more=len(found) > limit,
            first_id=data[0].id if data else "",
            last_id=data[-1].id if data else "",
        )
    )


@router.get(
    "/{file_id}",
    operation_id="get_file",
    summary="Get a file",
    response_model=FileOut | FaultyFileOut,
    responses=responses(404),
)
async def get_file(use: Use, file_id: str) -> Response:
    """The file of that id."""
    return answer(shape(await use.files.get(file_id)))


@router.get(
    "/{file_id}/content",
    operation_id="get_file_content",
    summary="Download a file",
    response_class=StreamingResponse,
    responses=responses(404)
    | {200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}},
)
async def get_file_content(use: Use, file_id: str) -> Response:
    """The bytes as they were uploaded, or a job's results as CSV."""
    file = await use.files.get(file_id)
    return StreamingResponse(use.files.content(file), media_type="application/octet-stream")


@router.delete(
    "/{file_id}",
    operation_id="delete_file",
    summary="Delete a file",
    response_model=DeletedFileOut,
    responses=responses(400, 404),
)
async def delete_file(use: Use, file_id: str) -> Response:
    """Forget the file and the dataset of its rows; refused while a job needs them."""
    await use.files.remove(file_id)
    return answer(DeletedFileOut(id=file_id))


def require_training(fields: dict[str, str]) -> None:
    """Refuse what this service keeps no files for, and what it could not honour."""
    purpose = fields.get("purpose")
    if purpose != Purpose.TRAINING:
        told = f"Files are for fine-tuning here: send purpose={Purpose.TRAINING}, not {purpose}."
        raise Invalid(told, faults=[Fault("invalid_value", told, "/purpose")])
    unknown = sorted(fields.keys() - {"purpose"})
    if unknown:
        param = unknown[0].partition("[")[0]
        told = f"Unknown parameter here: {param}. Files stay until they are deleted."
        raise Invalid(told, faults=[Fault("unknown_parameter", told, f"/{param}")])
