"""Curation over HTTP: edits, redaction and deduplication, each of which makes a new version."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field, model_validator

from app.api.dataset_uploads import Name
from app.api.datasets import DatasetOut
from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import In, Out, answer
from app.domain.curation.cleaning import Disclosed, Replacement
from app.domain.curation.editing import Edit, EditKind
from app.domain.datasets import Dataset
from app.domain.errors import Fault, Invalid
from app.domain.idempotency import Idempotency
from app.domain.reading.faulty import why_not_json
from app.services.created import Created
from app.services.curation import (
    Deduplicated,
    Redacted,
    WantedDeduplication,
    WantedEdits,
    WantedRedaction,
)

MAX_EDITS = 10_000

router = APIRouter(prefix="/datasets", tags=["datasets"])

_NEEDED = {
    EditKind.REPLACE: {"line", "example"},
    EditKind.DROP: {"line"},
    EditKind.ADD: {"example"},
}


class EditIn(In):
    """One edit: `replace` needs `line` and `example`, `drop` a `line`, `add` an `example`."""

    op: EditKind
    line: int | None = Field(default=None, ge=1, description="From 1, in the version edited.")
    example: dict[str, Any] | None = Field(
        default=None,
        description="A row in any form that a file may have.",
        examples=[{"prompt": "I was charged twice.", "completion": "billing.double_charge"}],
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        given = {name for name in ("line", "example") if getattr(self, name) is not None}
        if given != _NEEDED[self.op]:
            needed = " and ".join(sorted(_NEEDED[self.op], reverse=True))
            raise ValueError(f"`{self.op}` takes {needed}")
        return self


class EditsIn(In):
    """Edits that are made together or not at all."""

    edits: list[EditIn] = Field(
        min_length=1,
        max_length=MAX_EDITS,
        examples=[
            [
                {"op": "replace", "line": 3, "example": {"prompt": "a", "completion": "b"}},
                {"op": "drop", "line": 7},
                {"op": "add", "example": {"prompt": "c", "completion": "d"}},
            ]
        ],
    )
    name: Name | None = Field(
        default=None, description="Another name for the result; by default the same."
    )


def _once(kinds: Sequence[Disclosed]) -> list[Disclosed]:
    return [kind for kind in Disclosed if kind in kinds]


class RedactionIn(In):
    """What to take out, and what is to stand there instead."""

    kinds: Annotated[list[Disclosed], Field(min_length=1, max_length=20), AfterValidator(_once)] = (
        list(Disclosed)
    )
    replacement: Replacement = Field(
        default=Replacement.LABEL,
        description="A `label` such as `[EMAIL]`, numbered from the second of an example on, or a "
        "`mask` that keeps length and punctuation.",
    )


class DeduplicationIn(In):
    """What counts as a repeat."""

    near: bool = Field(default=True, description="Drop near duplicates too.")
    threshold: float = Field(
        default=0.75, ge=0.75, le=1, description="How similar near duplicates have to be."
    )


class ReplacedOut(Out):
    """What was replaced of one kind."""

    kind: Disclosed
    count: int = Field(description="How often it was replaced.")
    examples: int = Field(description="In how many examples.")
    lines: list[int] = Field(description="The first hundred, from 1.")


class LeftOut(Out):
    """What was found in parts that are no text, such as an image's URL, and left there."""

    count: int
    lines: list[int] = Field(description="The first hundred, from 1.")


class RedactionOut(Out):
    """The version without what was found; the same one where nothing was."""

    dataset: DatasetOut
    replaced: list[ReplacedOut]
    left: LeftOut


class NamedOut(Out):
    """How many there are, and where."""

    count: int
    lines: list[int] = Field(description="The first hundred, from 1.")
    groups: list[list[int]] = Field(description="Lines that belong together, the first twenty.")


class DeduplicationOut(Out):
    """The version without repeats; the same one where there were none."""

    dataset: DatasetOut
    exact: NamedOut = Field(description="Lines dropped: they repeat the first of their group.")
    near: NamedOut = Field(description="Lines dropped: nearly the first of their group.")
    contradictions: NamedOut = Field(
        description="Prompts kept with different completions: decide which one is right."
    )
    compared: int = Field(description="Distinct prompts that were compared for near duplicates.")


class RawEdit(msgspec.Struct):
    """An edit whose example is as it came: what a decoder would mend in silence has to be seen."""

    example: msgspec.Raw = msgspec.Raw()


class RawEdits(msgspec.Struct):
    """The same for all of them."""

    edits: list[RawEdit]


@router.post(
    "/{ref}/edits",
    operation_id="edit_dataset",
    summary="Edit a dataset",
    status_code=201,
    response_model=DatasetOut,
    responses=responses(404, 413, 422)
    | {200: {"model": DatasetOut, "description": "It was there."}},
)
async def edit_dataset(
    request: Request, use: Use, ref: str, body: EditsIn, key: KeyHeader = None
) -> Response:
    """Replace, drop and add examples: the result is a new version, and this one stays as it is.

    All edits speak of the lines of the version that `ref` names; added examples come last.
    """
    content = await request.body()
    wanted = WantedEdits(dataset=ref, edits=_edits(body, content), name=body.name)
    created = await use.curation.edit(wanted, _promised("edit_dataset", key, ref, content))
    location = {"Location": f"/datasets/{created.thing.id}"}
    return _answer(DatasetOut.model_validate(created.thing), created, location)


@router.post(
    "/{ref}/redact",
    operation_id="redact_dataset",
    summary="Take personal data and secrets out",
    status_code=201,
    response_model=RedactionOut,
    responses=responses(404, 413, 422)
    | {200: {"model": RedactionOut, "description": "Nothing to take out, or it was done."}},
)
async def redact_dataset(use: Use, ref: str, body: RedactionIn, key: KeyHeader = None) -> Response:
    """Replace in every text what the report finds; the result is a new version.

    Tools stay as they are, and the arguments of tool calls stay JSON.
    """
    wanted = WantedRedaction(dataset=ref, kinds=body.kinds, replacement=body.replacement)
    content = body.model_dump_json().encode()
    created = await use.curation.redact(wanted, _promised("redact_dataset", key, ref, content))
    return _answer(RedactionOut.model_validate(created.thing), created)


@router.post(
    "/{ref}/deduplicate",
    operation_id="deduplicate_dataset",
    summary="Drop examples that repeat others",
    status_code=201,
    response_model=DeduplicationOut,
    responses=responses(404, 413, 422)
    | {200: {"model": DeduplicationOut, "description": "Nothing to drop, or it was done."}},
)
async def deduplicate_dataset(
    use: Use, ref: str, body: DeduplicationIn, key: KeyHeader = None
) -> Response:
    """Keep the first of every group of repeats; the result is a new version.

    Near duplicates have nearly the same prompt and nearly the same completion. Where completions
    differ the examples are kept and named.
    """
    threshold = body.threshold if body.near else None
    wanted = WantedDeduplication(dataset=ref, threshold=threshold)
    content = body.model_dump_json().encode()
    promised = _promised("deduplicate_dataset", key, ref, content)
    created = await use.curation.deduplicate(wanted, promised)
    return _answer(DeduplicationOut.model_validate(created.thing), created)


def _edits(body: EditsIn, content: bytes) -> list[Edit]:
    try:
        raw = msgspec.json.decode(content, type=RawEdits)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        wrong = why_not_json(content, error)
        raise Invalid(wrong.message, faults=[Fault(wrong.code, wrong.message)]) from error
    return [
        Edit(edit.op, edit.line, None if edit.example is None else bytes(given.example))
        for edit, given in zip(body.edits, raw.edits, strict=True)
    ]


def _promised(operation: str, key: str | None, ref: str, content: bytes) -> Idempotency | None:
    if key is None:
        return None
    return with_fingerprint(operation, key, ref.encode() + b"\n" + content)


def _answer(
    body: Out,
    created: Created[Dataset] | Created[Redacted] | Created[Deduplicated],
    headers: Mapping[str, str] | None = None,
) -> Response:
    return answer(
        body,
        status=200 if created.existed else 201,
        headers=dict(headers or {}) | replay_headers(created.is_replay),
    )
