"""Diffs over HTTP: two versions side by side, page by page."""

import httpx
from httpx import AsyncClient

from tests.api.expect import pages, refused
from tests.api.given import dataset, preferences, rows

DIFF = "/datasets/echo/diff"


async def edited(client: AsyncClient) -> None:
    """A dataset `echo` of twelve rows, and a version with an edit of every kind."""
    await dataset(client, "echo", rows(12))
    edits = [
        {"op": "replace", "line": 2, "example": {"prompt": "say 1", "completion": "one"}},
        {"op": "drop", "line": 5},
        {"op": "add", "example": {"prompt": "new", "completion": "new"}},
    ]
    answer = await client.post("/datasets/echo/edits", json={"edits": edits})
    assert answer.status_code == 201, answer.text


async def test_a_version_is_compared_with_its_parent(idle_client: AsyncClient) -> None:
    await edited(idle_client)
    answer = await idle_client.get(DIFF)
    assert answer.status_code == 200, answer.text
    diff = answer.json()
    assert (diff["from"]["version"], diff["to"]["version"]) == (1, 2)
    counts = [diff[name] for name in ("added", "removed", "changed", "unchanged")]
    assert counts == [1, 1, 1, 10]
    assert [(one["change"], one["line_before"], one["line"]) for one in diff["data"]] == [
        ("changed", 2, 2),
        ("removed", 5, None),
        ("added", None, 12),
    ]
    assert diff["data"][0]["example"]["messages"][1]["content"] == "one"
    assert diff["data"][0]["example_before"]["messages"][1]["content"] == "say 1"
    assert (diff["data"][1]["example"], diff["data"][2]["example_before"]) == (None, None)
    assert diff["next_cursor"] is None


async def test_changes_come_in_pages(idle_client: AsyncClient) -> None:
    await edited(idle_client)
    found = await pages(idle_client, DIFF, limit="1")
    assert [page[0]["change"] for page in found] == ["changed", "removed", "added"]
    refused(await idle_client.get(f"{DIFF}?cursor=x"), 422, "cursor_invalid")


async def test_any_two_versions_can_be_compared(idle_client: AsyncClient) -> None:
    await edited(idle_client)
    back = (await idle_client.get("/datasets/echo@1/diff?against=echo@2")).json()
    assert [one["change"] for one in back["data"]] == ["changed", "added", "removed"]
    await dataset(idle_client, "other", rows(2))
    diff = (await idle_client.get(f"{DIFF}?against=other")).json()
    assert (diff["from"]["name"], diff["added"], diff["unchanged"]) == ("other", 10, 1)


async def test_an_upload_is_compared_with_what_came_before(idle_client: AsyncClient) -> None:
    await dataset(idle_client, "echo", rows(2))
    first = (await idle_client.get(DIFF)).json()
    assert (first["from"], first["added"], len(first["data"])) == (None, 2, 2)
    await dataset(idle_client, "echo", rows(3))
    second = (await idle_client.get(DIFF)).json()
    assert (second["from"]["version"], second["added"], second["unchanged"]) == (1, 1, 2)


async def test_what_cannot_be_compared(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", rows(2))
    await dataset(idle_client, "pairs", preferences(2))
    refused(await idle_client.get(f"{DIFF}?against=pairs"), 422, "dataset_kind_unfit")
    refused(await idle_client.get(f"{DIFF}?against=none"), 404, "dataset_not_found")
