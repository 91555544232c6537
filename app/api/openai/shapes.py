"""What the door's answers share: ids, moments in seconds, and lists."""

import re
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BeforeValidator

from app.api.shapes import Out
from app.domain.errors import CursorInvalid, JobNotFound

Item = TypeVar("Item", bound=Out)

_FILE = re.compile(r"file-[0-9a-z]{26}")
_JOB = re.compile(r"ftjob-([0-9a-z]{26})")


def _in_seconds(stored: Any) -> Any:
    return stored // 1000 if isinstance(stored, int) else stored


Seconds = Annotated[int, BeforeValidator(_in_seconds)]
"""A stored moment (milliseconds) as OpenAI writes it: whole seconds since 1970."""

Limit = Annotated[int, Query(ge=1, le=100, description="How many at the most.")]
After = Annotated[str | None, Query(description="The last id of the page before.")]


class ListOut(Out, Generic[Item]):
    """A page of a list."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool


class EndedListOut(ListOut[Item], Generic[Item]):
    """A page that names its first and its last item."""

    first_id: str | None
    last_id: str | None


def after_file(after: str | None) -> str | None:
    """The id that a list of files goes on from; raises `CursorInvalid`."""
    if after is not None and not _FILE.fullmatch(after):
        raise CursorInvalid(f"No such File object: {after}")
    return after


def after_job(after: str | None) -> str | None:
    """Our id of the job that a list goes on from; raises `JobNotFound`."""
    return None if after is None else job_id_of(after)


def job_id_of(name: str) -> str:
    """Our id of a job that OpenAI's programs call `ftjob-...`; raises `JobNotFound`."""
    match = _JOB.fullmatch(name)
    if match is None:
        raise JobNotFound(f"Could not find fine tune: {name}")
    return f"job_{match[1]}"
