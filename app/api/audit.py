"""The audit over HTTP: pages of it, and all of it as CSV or JSON lines."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Cursor, Limit, Moment, Out, Page, answer_page, before, millis
from app.api.tables import CSV, csv_rows
from app.domain.access import AuditFilter, Role
from app.services.bundle import Services

router = APIRouter(prefix="/audit", tags=["audit"])

LINES = "application/jsonl"

From = Annotated[datetime | None, Query(alias="from", description="Lines from this moment on.")]
To = Annotated[datetime | None, Query(alias="to", description="Lines before this moment.")]
Of = Annotated[str | None, Query(alias="object", description="What it was done to.")]
By = Annotated[str | None, Query(alias="key", description="The id of the key that did it.")]
What = Annotated[str | None, Query(description="The operation's id.", examples=["create_job"])]


class AuditOut(Out):
    """That somebody changed something, or tried to."""

    id: str
    at: Moment
    caller: str = Field(description="The key's name, or the token's subject.")
    key: str | None = Field(validation_alias="key_id")
    role: Role
    operation: str = Field(examples=["create_job"])
    object: str | None = Field(description="What the path names, or what was made.")
    status: int = Field(description="The HTTP status of the answer.")
    code: str | None = Field(description="Of a refusal, its code.")
    request_id: str
    address: str | None = Field(description="Where the request came from, as seen here.")


@router.get(
    "",
    operation_id="list_audit",
    summary="List who changed what",
    response_model=Page[AuditOut],
    responses=responses(422)
    | {200: {"content": {kind: {"schema": {"type": "string"}} for kind in (CSV, LINES)}}},
)
async def list_audit(
    use: Use,
    start: From = None,
    end: To = None,
    object: Of = None,
    key: By = None,
    operation: What = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Newest first. `Accept: text/csv` or `application/jsonl` gives all that match."""
    wanted = AuditFilter(
        object=object,
        operation=operation,
        key_id=key,
        start=start and millis(start),
        end=end and millis(end),
    )
    if CSV in accept:
        return StreamingResponse(_table(use, wanted), media_type=CSV)
    if LINES in accept:
        return StreamingResponse(_lines(use, wanted), media_type=LINES)
    found = await use.audit.list_page(wanted, before=before(cursor), limit=limit + 1)
    return answer_page(Page[AuditOut], found, limit, lambda entry: entry.id)


async def _table(use: Services, wanted: AuditFilter) -> AsyncIterator[str]:
    yield csv_rows([list(AuditOut.model_fields)])
    async for page in use.audit.all_entries(wanted):
        yield csv_rows(AuditOut.model_validate(entry).model_dump().values() for entry in page)


async def _lines(use: Services, wanted: AuditFilter) -> AsyncIterator[str]:
    async for page in use.audit.all_entries(wanted):
        yield "".join(f"{AuditOut.model_validate(one).model_dump_json()}\n" for one in page)
