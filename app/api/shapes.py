"""What all answers share: moments, pages, and the way an answer is written."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from app.domain.aliases import NAME_PATTERN
from app.domain.errors import CursorInvalid


class In(BaseModel):
    """A request body: a field that is not known is refused, because it would be ignored."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """A part of an answer, read off a domain value's attributes."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True
    )


Item = TypeVar("Item", bound=Out)
Listed = TypeVar("Listed")


class Page(Out, Generic[Item]):
    """A part of a list; `next_cursor` gives the next one, null where there is none."""

    data: list[Item]
    next_cursor: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`JobPage` for jobs, which is what generated clients call it."""
        return f"{params[0].__name__.removesuffix('Out')}Page"


Limit = Annotated[int, Query(ge=1, le=200, description="How many at the most.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]

MAX_NUMBER = 2**31 - 1
"""The largest number that a series can have in the database."""

_ID = re.compile(r"[a-z]+_[0-9a-z]{26}")


def before(cursor: str | None) -> str | None:
    """The id that a list's cursor stands for; raises `CursorInvalid`."""
    if cursor is not None and not _ID.fullmatch(cursor):
        raise CursorInvalid("This cursor is not a `next_cursor` of this list.")
    return cursor


def after(cursor: str | None) -> int:
    """The number that a series' cursor stands for; raises `CursorInvalid`."""
    if cursor is None:
        return 0
    is_number = cursor.isascii() and cursor.isdecimal() and len(cursor) <= 10
    if not is_number or int(cursor) > MAX_NUMBER:
        raise CursorInvalid("This cursor is not a `next_cursor` of this list.")
    return int(cursor)


def millis(moment: datetime) -> int:
    """A moment from the wire as it is stored; one without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def answer(
    body: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer from a shape, written once."""
    return Response(
        body.model_dump_json(),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def answer_page(
    shape: type[Page[Item]],
    found: Sequence[Listed],
    limit: int,
    cursor_of: Callable[[Listed], str],
) -> Response:
    """A page of a list that was asked for one item more than fits."""
    shown = found[:limit]
    next_cursor = cursor_of(shown[-1]) if len(found) > limit else None
    return answer(shape.model_validate({"data": shown, "next_cursor": next_cursor}))


Usd = Annotated[
    Decimal,
    Field(examples=["12.50"]),
    WithJsonSchema({"type": "string", "format": "decimal", "examples": ["12.50"]}),
]
"""US dollars as a decimal string."""


def _is_no_id(name: str) -> str:
    if name.startswith("model_"):
        raise ValueError("a name that begins with model_ would be taken for a tuned model's id")
    return name


AliasName = Annotated[str, Field(pattern=NAME_PATTERN), AfterValidator(_is_no_id)]
"""A name that an alias may get."""


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Names = Annotated[list[str], Field(min_length=1, max_length=20), AfterValidator(_once)]
"""A few names; one that is given twice counts once."""


_VARIANT = "\x1f"


def variant(name: str) -> str:
    """The tag of one of several shapes that a body may have; it stands in no answer."""
    return f"{_VARIANT}{name}"


def is_variant(step: int | str) -> bool:
    """Whether a step of an error's location only names the shape that was tried."""
    return isinstance(step, str) and step.startswith(_VARIANT)


def _as_datetime(stored: Any) -> Any:
    return datetime.fromtimestamp(stored / 1000, UTC) if isinstance(stored, int) else stored


Moment = Annotated[datetime, BeforeValidator(_as_datetime)]
"""A stored moment (milliseconds) as it goes over the wire: RFC 3339 in UTC."""
