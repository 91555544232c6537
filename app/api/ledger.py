"""The ledger over HTTP: lines, sums, and both as CSV."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import (
    Cursor,
    Limit,
    Moment,
    Out,
    Page,
    Usd,
    after,
    answer_page,
    before,
    millis,
)
from app.api.tables import CSV, csv_rows
from app.domain.ledger import EntryKind, Group, Period, StoredEntry
from app.services.bundle import Services

router = APIRouter(prefix="/ledger", tags=["ledger"])

From = Annotated[datetime | None, Query(alias="from", description="Lines from this moment on.")]
To = Annotated[datetime | None, Query(alias="to", description="Lines before this moment.")]
GroupBy = Annotated[
    str | None,
    Query(
        pattern=r"^(provider|base_model|tag:[^:\s\"\\]{1,64})$",
        description="`provider`, `base_model` or `tag:<key>`: sums instead of lines.",
        examples=["tag:team"],
    ),
]


class EntryOut(Out):
    """What one training, hosting or evaluation was quoted at, and what it came to."""

    id: str
    at: Moment = Field(description="When it was created or deployed.")
    kind: EntryKind
    provider: str | None = Field(description="Null where an evaluation asks several.")
    base_model: str | None
    job: str | None = Field(validation_alias="job_id")
    model: str | None = Field(validation_alias="model_id")
    evaluation: str | None = Field(validation_alias="evaluation_id")
    tags: dict[str, str]
    quoted_usd: Usd | None = Field(description="At the most; null where no price is known.")
    actual_usd: Usd | None = Field(description="By the price list; null while nobody knows.")
    variance_usd: Usd | None = Field(description="Actual less quoted.")


class GroupOut(Out):
    """Sums; amounts that nobody knows count for nothing."""

    group: str | None = Field(description="Null for lines without the tag or name.")
    entries: int
    quoted_usd: Usd | None
    actual_usd: Usd | None
    variance_usd: Usd | None = Field(description="Over the lines of which both are known.")


@router.get(
    "",
    operation_id="list_ledger",
    summary="List what was quoted and what it cost",
    response_model=Page[EntryOut] | Page[GroupOut],
    responses=responses(422) | {200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
async def list_ledger(
    use: Use,
    start: From = None,
    end: To = None,
    group_by: GroupBy = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Lines, newest first, or sums by name. `Accept: text/csv` gives all of them as CSV."""
    period = Period(start and millis(start), end and millis(end))
    if CSV in accept:
        return StreamingResponse(_table(use, period, group_by), media_type=CSV)
    if group_by is None:
        found = await use.ledger.list_page(period, before=before(cursor), limit=limit + 1)
        return answer_page(Page[EntryOut], found, limit, lambda entry: entry.id)
    first = after(cursor)
    sums = await use.ledger.sums(period, by=group_by, after=first, limit=limit + 1)
    return answer_page(Page[GroupOut], sums, limit, lambda _: str(first + limit))


async def _table(use: Services, period: Period, group_by: str | None) -> AsyncIterator[str]:
    if group_by is None:
        yield csv_rows([list(EntryOut.model_fields)])
        async for page in use.ledger.all_entries(period):
            yield csv_rows(_rows(page, EntryOut))
        return
    yield csv_rows([list(GroupOut.model_fields)])
    async for groups in use.ledger.all_sums(period, by=group_by):
        yield csv_rows(_rows(groups, GroupOut))


def _rows(page: Sequence[StoredEntry] | Sequence[Group], shape: type[Out]) -> Iterable[list[Any]]:
    for one in page:
        yield list(shape.model_validate(one).model_dump().values())
