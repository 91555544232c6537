"""Datasets over HTTP: upload, read, remove."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import Field, TypeAdapter, ValidationError

from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import (
    Cursor,
    In,
    Limit,
    Moment,
    Out,
    Page,
    after,
    answer,
    answer_page,
    before,
)
from app.api.uploads import Form
from app.domain.datasets import NAME_PATTERN
from app.domain.errors import Fault, Invalid, TooLarge
from app.services.datasets import Draft

router = APIRouter(prefix="/datasets", tags=["datasets"])

Name = Annotated[
    str, Field(pattern=NAME_PATTERN, description="Collects versions.", examples=["support-labels"])
]

MAX_JSON_BYTES = 32 * 1024 * 1024

ROWS_AT_ONCE = 500

_name = TypeAdapter[str](Name)


class DatasetIn(In):
    """Examples in the request itself."""

    name: Name
    examples: list[dict[str, Any]] = Field(
        description="Rows with `prompt` and `completion`, chat `messages`, or a preference.",
        examples=[[{"prompt": "I was charged twice.", "completion": "billing.double_charge"}]],
    )


class DatasetOut(Out):
    """One immutable version of a dataset."""

    id: str
    name: str
    version: int
    kind: str = Field(examples=["chat", "preference"])
    status: str = Field(default="ready")
    format: str = Field(description="The form of the first row as it came.")
    examples: int
    bytes: int = Field(description="Of the canonical JSON Lines.")
    sha256: str
    created_at: Moment


class ExampleOut(Out):
    """One example in the canonical form, with its line."""

    line: int
    example: dict[str, Any]


_UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "name"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "JSON Lines."},
                    "name": {"type": "string", "pattern": NAME_PATTERN},
                },
            }
        },
        "application/json": {"schema": DatasetIn.model_json_schema()},
    },
}


@router.post(
    "",
    operation_id="create_dataset",
    summary="Upload a dataset",
    status_code=201,
    response_model=DatasetOut,
    responses=responses(413, 422) | {200: {"model": DatasetOut, "description": "It was there."}},
    openapi_extra={"requestBody": _UPLOAD},
)
async def create_dataset(request: Request, use: Use, key: KeyHeader = None) -> Response:
    """Check examples while they stream in and store them as the next version of a name."""
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        name, pieces = await _from_json(request)
        async with use.datasets.take_in(pieces) as draft:
            return await _keep(use, draft, name, key)
    form = Form(request, file_field="file")
    async with use.datasets.take_in(form.file_pieces()) as draft:
        return await _keep(use, draft, _checked_name(form.fields), key)


@router.get(
    "",
    operation_id="list_datasets",
    summary="List datasets",
    response_model=Page[DatasetOut],
    responses=responses(422),
)
async def list_datasets(
    use: Use, name: str | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Dataset versions, newest first."""
    found = await use.datasets.list_page(name=name, before=before(cursor), limit=limit + 1)
    return answer_page(Page[DatasetOut], found, limit, lambda dataset: dataset.id)


@router.get(
    "/{ref}",
    operation_id="get_dataset",
    summary="Get a dataset",
    response_model=DatasetOut,
    responses=responses(404),
)
async def get_dataset(use: Use, ref: str) -> Response:
    """The version of an id, `name` (the newest) or `name@3`."""
    return answer(DatasetOut.model_validate(await use.datasets.get(ref)))


@router.get(
    "/{ref}/examples",
    operation_id="list_dataset_examples",
    summary="List a dataset's examples",
    response_model=Page[ExampleOut],
    responses=responses(404, 422),
)
async def list_dataset_examples(
    use: Use, ref: str, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Examples in the canonical form, by line."""
    dataset, start = await use.datasets.get(ref), after(cursor)
    found = await use.datasets.examples(dataset, after=start, limit=limit + 1)
    rows = [
        {"line": line, "example": msgspec.to_builtins(example)}
        for line, example in enumerate(found, start=start + 1)
    ]
    return answer_page(Page[ExampleOut], rows, limit, lambda row: str(row["line"]))


@router.get(
    "/{ref}/content",
    operation_id="get_dataset_content",
    summary="Download a dataset",
    response_class=StreamingResponse,
    responses=responses(404)
    | {200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}},
)
async def get_dataset_content(use: Use, ref: str) -> Response:
    """The canonical JSON Lines."""
    dataset = await use.datasets.get(ref)
    return StreamingResponse(
        use.datasets.content(dataset),
        media_type="application/jsonl",
        headers={
            "Content-Disposition": f'attachment; filename="{dataset.name}-{dataset.version}.jsonl"',
            "Content-Length": str(dataset.bytes),
        },
    )


@router.delete(
    "/{ref}",
    operation_id="delete_dataset",
    summary="Delete a dataset",
    status_code=204,
    response_class=Response,
    responses=responses(404, 409),
)
async def delete_dataset(use: Use, ref: str) -> Response:
    """Forget a version; refused while unfinished work needs it."""
    await use.datasets.remove(ref)
    return Response(status_code=204)


async def _keep(use: Use, draft: Draft, name: str, key: str | None) -> Response:
    content = f"{name}\n{draft.intake.sha256}".encode()
    wanted = None if key is None else with_fingerprint("create_dataset", key, content)
    created = await use.datasets.keep(draft, name, wanted)
    return answer(
        DatasetOut.model_validate(created.thing),
        status=200 if created.existed else 201,
        headers={"Location": f"/datasets/{created.thing.id}"} | replay_headers(created.is_replay),
    )


async def _from_json(request: Request) -> tuple[str, AsyncIterator[bytes]]:
    """Name and rows of a JSON body; a row's line is its place in the list, from 1."""
    try:
        body = DatasetIn.model_validate_json(await _bounded(request))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [wrong | {"loc": ("body", *wrong["loc"])} for wrong in found]
        ) from error

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body.examples), ROWS_AT_ONCE):
            rows = body.examples[start : start + ROWS_AT_ONCE]
            yield b"".join(msgspec.json.encode(row) + b"\n" for row in rows)

    return body.name, pieces()


async def _bounded(request: Request) -> bytes:
    """The body, which has to be held whole because it is one JSON document."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge(
                f"A JSON body may have {MAX_JSON_BYTES} bytes; upload larger sets as a file."
            )
    return bytes(body)


def _checked_name(fields: dict[str, str]) -> str:
    unknown = sorted(fields.keys() - {"name"})
    if unknown:
        raise Invalid(f"There is no field {unknown[0]!r} here; send `file` and `name`.")
    if "name" not in fields:
        raise Invalid("The form has no `name`: under which name shall the dataset be kept?")
    try:
        return _name.validate_python(fields["name"])
    except ValidationError as error:
        raise Invalid(
            "A name is 1 to 100 letters, digits, dots, dashes and underscores.",
            faults=[Fault("name_invalid", fields["name"][:100], "/name")],
        ) from error
