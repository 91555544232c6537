"""Diffs over HTTP: what differs between two versions of a dataset."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field

from app.api.dependencies import Use
from app.api.jobs import DatasetRefOut
from app.api.problems import responses
from app.api.shapes import Cursor, Limit, Out, after, answer
from app.domain.curation.diffing import ChangeKind
from app.services.diffs import ShownChange

router = APIRouter(prefix="/datasets", tags=["datasets"])


class ChangeOut(Out):
    """One difference; what is not there on a side is null."""

    change: ChangeKind
    line: int | None = Field(description="In the newer version, from 1.")
    line_before: int | None = Field(description="In the older version, from 1.")
    example: dict[str, Any] | None
    example_before: dict[str, Any] | None


class DiffOut(Out):
    """What differs, in the order of the lines."""

    model_config = ConfigDict(serialize_by_alias=True)

    before: DatasetRefOut | None = Field(
        serialization_alias="from", description="Null where there was no version before."
    )
    after: DatasetRefOut = Field(serialization_alias="to")
    added: int
    removed: int
    changed: int
    unchanged: int
    data: list[ChangeOut]
    next_cursor: str | None


@router.get(
    "/{ref}/diff",
    operation_id="diff_dataset",
    summary="See what differs from another version",
    response_model=DiffOut,
    responses=responses(404, 422),
)
async def diff_dataset(
    use: Use,
    ref: str,
    against: Annotated[
        str | None,
        Query(
            description="The older version: id, `name` or `name@3`. By default the parent; for an "
            "upload the version of its name before it."
        ),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Examples that were added, removed or changed.

    A removed line and an added one between the same neighbours are one change if they have the
    same prompt, or else the same completion.
    """
    skip = after(cursor)
    diff = await use.diffs.get(ref, against=against, skip=skip, limit=limit + 1)
    is_more = len(diff.changes) > limit
    shown = {
        "before": diff.before,
        "after": diff.after,
        "added": diff.counts.added,
        "removed": diff.counts.removed,
        "changed": diff.counts.changed,
        "unchanged": diff.unchanged,
        "data": [_shown(change) for change in diff.changes[:limit]],
        "next_cursor": str(skip + limit) if is_more else None,
    }
    return answer(DiffOut.model_validate(shown))


def _shown(change: ShownChange) -> dict[str, Any]:
    """A change whose examples are as they are stored: without what they leave out."""
    return {
        "change": change.change,
        "line": change.line,
        "line_before": change.line_before,
        "example": msgspec.to_builtins(change.example),
        "example_before": msgspec.to_builtins(change.example_before),
    }
