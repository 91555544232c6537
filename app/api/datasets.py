"""Datasets over HTTP: upload, read, remove."""

from contextlib import aclosing
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.api.dataset_uploads import UPLOAD, DatasetIn, from_form, from_json, name_in
from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, key_for, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import (
    Cursor,
    Limit,
    Moment,
    Out,
    Page,
    after,
    answer,
    answer_page,
    before,
)
from app.domain.datasets import Dataset
from app.services.created import Created
from app.services.datasets import Draft

router = APIRouter(prefix="/datasets", tags=["datasets"])


class DiffCountsOut(Out):
    """In how many examples a version differs from another one."""

    added: int
    removed: int
    changed: int


class MadeByOut(Out):
    """What made a version out of its parent."""

    operation: str = Field(examples=["edit", "redact", "deduplicate", "split"])
    parameters: dict[str, Any] = Field(description="How it was asked for.")
    counts: dict[str, int] = Field(description="What it did, in the operation's own words.")
    diff: DiffCountsOut = Field(description="In how many examples it differs from its parent.")


class DatasetOut(Out):
    """One immutable version of a dataset."""

    id: str = Field(examples=["ds_01m83e5h8gwajxdy5wzxkfa82z"])
    name: str
    version: int
    kind: str = Field(examples=["chat", "preference"])
    status: str = Field(default="ready")
    format: str = Field(description="The form of the first row as it came.")
    examples: int
    bytes: int = Field(description="Of the canonical JSON Lines.")
    sha256: str
    tokens: int | None = Field(
        description="Estimated, of all examples; null until the report is ready, which says how "
        "good the estimate is."
    )
    rejected: int = Field(description="Rows that were set aside when the file came in.")
    parent: str | None = Field(
        description="The id of the version that it was made of, also when that is gone; null for "
        "an upload."
    )
    made_by: MadeByOut | None = Field(description="What made it; null for an upload.")
    created_at: Moment


class ExampleOut(Out):
    """One example in the canonical form, with its line."""

    line: int
    example: dict[str, Any]


@router.post(
    "",
    operation_id="create_dataset",
    summary="Upload a dataset",
    status_code=201,
    response_model=DatasetOut,
    responses=responses(413, 422) | {200: {"model": DatasetOut, "description": "It was there."}},
    openapi_extra={"requestBody": UPLOAD},
)
async def create_dataset(request: Request, use: Use, key: KeyHeader = None) -> Response:
    """Check examples while they stream in and store them as the next version of a name."""
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        body, examples = await from_json(request)
        if body.url is not None:
            return await _create_from_url(use, body, body.url, key)
        async with use.datasets.take_in(examples, body.reading) as draft:
            return await _keep(use, draft, body.name, key)
    form, reading = await from_form(request)
    async with use.datasets.take_in(form.file_pieces(), reading) as draft:
        return await _keep(use, draft, name_in(form), key)


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
    "/{ref}/rejected",
    operation_id="get_dataset_rejected",
    summary="Download the rows that were set aside",
    response_class=StreamingResponse,
    responses=responses(404)
    | {200: {"content": {"application/jsonl": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def get_dataset_rejected(use: Use, ref: str) -> Response:
    """JSON Lines with the line, code and message of each row, and the row as it came."""
    dataset = await use.datasets.get(ref)
    name = f"{dataset.name}-{dataset.version}-rejected.jsonl"
    return StreamingResponse(
        use.datasets.rejected(dataset),
        media_type="application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
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


async def _create_from_url(use: Use, body: DatasetIn, url: str, key: str | None) -> Response:
    # A repeated request gets its first answer even if there is another file at the URL by now.
    wanted = key_for("create_dataset", key, body)
    first = await use.datasets.replay(wanted)
    if first is not None:
        return _answer_created(first)
    async with (
        aclosing(use.datasets.fetch(url)) as pieces,
        use.datasets.take_in(pieces, body.reading) as draft,
    ):
        return _answer_created(await use.datasets.keep(draft, body.name, wanted))


async def _keep(use: Use, draft: Draft, name: str, key: str | None) -> Response:
    intake = draft.intake
    content = f"{name}\n{intake.sha256}\n{intake.rejected_sha256 or ''}".rstrip().encode()
    wanted = None if key is None else with_fingerprint("create_dataset", key, content)
    return _answer_created(await use.datasets.keep(draft, name, wanted))


def _answer_created(created: Created[Dataset]) -> Response:
    return answer(
        DatasetOut.model_validate(created.thing),
        status=200 if created.existed else 201,
        headers={"Location": f"/datasets/{created.thing.id}"} | replay_headers(created.is_replay),
    )
