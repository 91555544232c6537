"""Notices over HTTP: what happened to models, aliases and webhooks, in one order for all."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Cursor, Limit, Moment, Out, Page, after, answer_page

router = APIRouter(prefix="/events", tags=["events"])

TypeFilter = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z]+\.(\*|[a-z_]+)$",
        description="One type, or a family such as `model.*`.",
        examples=["model.*"],
    ),
]


class NoticeOut(Out):
    """Something that happened."""

    id: int = Field(description="Grows with time; numbers may be left out.")
    type: str = Field(examples=["model.retiring"])
    subject: str = Field(description="The id of a model or webhook, or an alias's name.")
    data: dict[str, Any]
    at: Moment


@router.get(
    "",
    operation_id="list_events",
    summary="List what happened to models, aliases and webhooks",
    response_model=Page[NoticeOut],
    responses=responses(422),
)
async def list_events(
    use: Use, type: TypeFilter = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Oldest first. The last number that was read is a cursor too: it gives what came since."""
    found = await use.notices.list_after(after(cursor), type=type, limit=limit + 1)
    return answer_page(Page[NoticeOut], found, limit, lambda notice: str(notice.id))
