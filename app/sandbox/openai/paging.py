"""Lists by cursor: `after` is the last id of the page before, `limit` the size of this one."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.sandbox.frame.exchange import Refused


def page(
    items: Sequence[Mapping[str, Any]], query: Mapping[str, Any], *, default: int, most: int = 100
) -> dict[str, Any]:
    """The wanted page of items, which stand in the order of the list."""
    start = _start(items, query.get("after"))
    limit = int(query.get("limit", default))
    if not 1 <= limit <= most:
        raise Refused(400, f"limit must be between 1 and {most}", param="limit")
    data = items[start : start + limit]
    return {"object": "list", "data": list(data), "has_more": start + limit < len(items)}


def with_ends(listed: dict[str, Any], empty: str | None) -> dict[str, Any]:
    """The same page with the ids of its first and its last item, `empty` where there is none."""
    data = listed["data"]
    return listed | {
        "first_id": data[0]["id"] if data else empty,
        "last_id": data[-1]["id"] if data else empty,
    }


def _start(items: Sequence[Mapping[str, Any]], after: str | None) -> int:
    if after is None:
        return 0
    for index, item in enumerate(items):
        if item["id"] == after:
            return index + 1
    raise Refused(404, f"No such object: {after}", param="after")
