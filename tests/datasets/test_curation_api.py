"""Curation over HTTP: edits, redaction and deduplication make versions that know their parent."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.expect import pointers, refused
from tests.api.given import dataset, preferences, rows

EDITS = "/datasets/echo/edits"
REPLACED = {"op": "replace", "line": 2, "example": {"prompt": "say 1", "completion": "say one"}}
DROPPED = {"op": "drop", "line": 3}
ADDED = {"op": "add", "example": {"instruction": "say", "input": "it", "output": "it"}}


async def contents(client: httpx.AsyncClient, ref: str) -> list[str]:
    """What the examples of a dataset answer."""
    page = (await client.get(f"/datasets/{ref}/examples?limit=200")).json()
    return [one["example"]["messages"][-1]["content"] for one in page["data"]]


async def test_edits_make_a_version_with_a_parent(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client, "echo", rows(3))
    answer = await idle_client.post(EDITS, json={"edits": [REPLACED, DROPPED, ADDED]})
    assert answer.status_code == 201, answer.text
    edited = answer.json()
    assert (edited["name"], edited["version"], edited["parent"]) == ("echo", 2, stored["id"])
    assert edited["made_by"] == {
        "operation": "edit",
        "parameters": {},
        "counts": {},
        "diff": {"added": 1, "removed": 1, "changed": 1},
    }
    assert (stored["parent"], stored["made_by"]) == (None, None)
    assert await contents(idle_client, "echo@2") == ["say 0", "say one", "it"]
    assert await contents(idle_client, "echo@1") == ["say 0", "say 1", "say 2"]
    assert (await idle_client.get(answer.headers["Location"])).json() == edited


async def test_edits_may_go_under_another_name(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client, "echo", rows(3))
    answer = await idle_client.post(EDITS, json={"edits": [DROPPED], "name": "other"})
    edited = answer.json()
    assert (edited["name"], edited["version"], edited["parent"]) == ("other", 1, stored["id"])


async def test_edits_that_give_what_is_there_give_that_version(
    idle_client: httpx.AsyncClient,
) -> None:
    stored = await dataset(idle_client, "echo", rows(3))
    same = {"op": "replace", "line": 1, "example": rows(1)[0]}
    answer = await idle_client.post(EDITS, json={"edits": [same]})
    assert (answer.status_code, answer.json()) == (200, stored)


async def test_all_wrong_edits_are_told_at_once(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", rows(3))
    preference = preferences(1)[0]
    edits = [
        DROPPED,
        {"op": "replace", "line": 3, "example": {"prompt": "a"}},
        {"op": "drop", "line": 4},
        {"op": "add", "example": preference},
        {"op": "add", "example": {"prompt": "", "completion": "b"}},
        ADDED,
    ]
    problem = refused(await idle_client.post(EDITS, json={"edits": edits}), 422, "edits_invalid")
    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [
        ("/edits/1/line", "line_edited_twice"),
        ("/edits/1/example", "row_shape"),
        ("/edits/2/line", "line_unknown"),
        ("/edits/3/example", "kind_mixed"),
        ("/edits/4/example", "content_empty"),
    ]
    assert problem["error_count"] == 5
    assert len((await idle_client.get("/datasets")).json()["data"]) == 1


@pytest.mark.parametrize(
    ("example", "refusal", "code"),
    [
        (b'{"prompt": "a", "prompt": "b", "completion": "c"}', "edits_invalid", "key_repeated"),
        (rb'{"prompt": "\u0000", "completion": "c"}', "edits_invalid", "text_nul"),
        (rb'{"prompt": "\ud800", "completion": "c"}', "invalid_request", "lone_surrogate"),
        (b'{"prompt": "a", "completion": NaN}', "invalid_request", "not_finite"),
    ],
)
async def test_an_example_is_read_as_it_came(
    idle_client: httpx.AsyncClient, example: bytes, refusal: str, code: str
) -> None:
    await dataset(idle_client, "echo", rows(3))
    answer = await idle_client.post(
        EDITS,
        content=b'{"edits": [{"op": "add", "example": %b}]}' % example,
        headers={"content-type": "application/json"},
    )
    problem = refused(answer, 422, refusal)
    assert [fault["code"] for fault in problem["errors"]] == [code]


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        ({"op": "replace", "line": 1}, "/edits/0"),
        ({"op": "drop"}, "/edits/0"),
        ({"op": "add", "line": 1, "example": {}}, "/edits/0"),
        ({"op": "move", "line": 1}, "/edits/0/op"),
        ({"op": "drop", "line": 0}, "/edits/0/line"),
        ({"op": "drop", "line": 1, "to": 2}, "/edits/0/to"),
    ],
)
async def test_edits_have_a_shape(
    idle_client: httpx.AsyncClient, edit: dict[str, Any], where: str
) -> None:
    await dataset(idle_client, "echo", rows(3))
    answer = await idle_client.post(EDITS, json={"edits": [edit]})
    assert pointers(refused(answer, 422, "invalid_request")) == [where]


async def test_something_has_to_be_left(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", rows(2))
    drops = [{"op": "drop", "line": line} for line in (1, 2)]
    refused(await idle_client.post(EDITS, json={"edits": drops}), 422, "dataset_empty")


async def test_a_key_answers_the_first_edit_again(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", rows(3))
    headers = {"Idempotency-Key": "once"}
    first = await idle_client.post(EDITS, json={"edits": [DROPPED]}, headers=headers)
    again = await idle_client.post(EDITS, json={"edits": [DROPPED]}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await idle_client.post(EDITS, json={"edits": [ADDED]}, headers=headers)
    refused(other, 422, "idempotency_key_reused")


async def test_a_parent_that_is_gone_is_still_named(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client, "echo", rows(3))
    edited = (await idle_client.post(EDITS, json={"edits": [DROPPED]})).json()
    assert (await idle_client.delete("/datasets/echo@1")).status_code == 204
    assert (await idle_client.get("/datasets/echo")).json() == edited
    assert edited["parent"] == stored["id"]


async def test_a_number_is_never_given_twice(idle_client: httpx.AsyncClient) -> None:
    for count in (3, 4):
        await dataset(idle_client, "echo", rows(count))
    for ref in ("echo@2", "echo@1"):
        await idle_client.delete(f"/datasets/{ref}")
    assert (await dataset(idle_client, "echo", rows(4)))["version"] == 3


async def test_uploads_at_once_get_a_number_each(idle_client: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(dataset(idle_client, "echo", rows(n)) for n in range(1, 7)))
    assert sorted(one["version"] for one in made) == [1, 2, 3, 4, 5, 6]


async def test_edits_at_once_with_one_key_make_one_version(
    idle_client: httpx.AsyncClient,
) -> None:
    await dataset(idle_client, "echo", rows(3))
    headers = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(
        *(idle_client.post(EDITS, json={"edits": [DROPPED]}, headers=headers) for _ in range(4))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await idle_client.get("/datasets")).json()["data"]) == 2


async def test_the_parts_of_a_split_know_what_they_were_made_of(
    idle_client: httpx.AsyncClient,
) -> None:
    stored = await dataset(idle_client, "echo", preferences(40))
    asked = {"validation": 0, "test": 0.25, "seed": 7}
    parts = (await idle_client.post("/datasets/echo/split", json=asked)).json()["parts"]
    assert parts["test"]["parent"] == stored["id"]
    assert parts["test"]["made_by"] == {
        "operation": "split",
        "parameters": asked | {"part": "test", "group_by": None},
        "counts": {},
        "diff": {"added": 0, "removed": 30, "changed": 0},
    }


async def test_a_redacted_version_discloses_nothing(idle_client: httpx.AsyncClient) -> None:
    personal = {"prompt": "Mail jane@acme.io", "completion": "Mailed jane@acme.io, +49 30 901820"}
    stored = await dataset(idle_client, "echo", [*rows(2), personal])
    answer = await idle_client.post("/datasets/echo/redact", json={})
    assert answer.status_code == 201, answer.text
    redacted = answer.json()
    found = {one.pop("kind"): one for one in redacted["replaced"]}
    assert found["personal_emails"] == {"count": 2, "examples": 1, "lines": [3]}
    assert found["secrets"] == {"count": 0, "examples": 0, "lines": []}
    assert redacted["left"] == {"count": 0, "lines": []}
    made_by = redacted["dataset"]["made_by"]
    assert (made_by["operation"], made_by["counts"]["personal_phones"]) == ("redact", 1)
    assert redacted["dataset"]["parent"] == stored["id"]
    assert (await contents(idle_client, "echo"))[-1] == "Mailed [EMAIL], [PHONE]"
    again = await idle_client.post("/datasets/echo/redact", json={})
    assert (again.status_code, again.json()["dataset"]) == (200, redacted["dataset"])


async def test_a_key_answers_the_first_redaction_again(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", [{"prompt": "jane@acme.io", "completion": "joe@acme.io"}])
    headers = {"Idempotency-Key": "once"}
    wanted = {"kinds": ["personal_emails"], "replacement": "mask"}
    first = await idle_client.post("/datasets/echo/redact", json=wanted, headers=headers)
    again = await idle_client.post("/datasets/echo/redact", json=wanted, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert first.json()["dataset"]["made_by"]["parameters"] == wanted
    assert await contents(idle_client, "echo") == ["***@****.**"]


async def test_a_deduplicated_version_has_the_first_of_each(
    idle_client: httpx.AsyncClient,
) -> None:
    other = {"prompt": "say 0", "completion": "no"}
    stored = await dataset(idle_client, "echo", [*rows(3), *rows(2), other])
    answer = await idle_client.post("/datasets/echo/deduplicate", json={})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["exact"] == {"count": 2, "lines": [4, 5], "groups": [[1, 4], [2, 5]]}
    assert made["contradictions"] == {"count": 1, "lines": [1, 6], "groups": [[1, 6]]}
    assert made["dataset"]["parent"] == stored["id"]
    assert made["dataset"]["made_by"] == {
        "operation": "deduplicate",
        "parameters": {"near": True, "threshold": 0.75},
        "counts": {"exact": 2, "near": 0, "contradictions": 1},
        "diff": {"added": 0, "removed": 2, "changed": 0},
    }
    assert await contents(idle_client, "echo") == ["say 0", "say 1", "say 2", "no"]
    again = await idle_client.post("/datasets/echo/deduplicate", json={"near": False})
    assert (again.status_code, again.json()["dataset"]) == (200, made["dataset"])


@pytest.mark.parametrize(
    ("verb", "body", "where"),
    [
        ("redact", {"kinds": []}, "/kinds"),
        ("redact", {"kinds": ["names"]}, "/kinds/0"),
        ("redact", {"replacement": "drop"}, "/replacement"),
        ("deduplicate", {"threshold": 0.5}, "/threshold"),
        ("deduplicate", {"far": True}, "/far"),
    ],
)
async def test_what_cannot_be_asked_for(
    idle_client: httpx.AsyncClient, verb: str, body: dict[str, Any], where: str
) -> None:
    await dataset(idle_client, "echo", rows(3))
    answer = await idle_client.post(f"/datasets/echo/{verb}", json=body)
    assert pointers(refused(answer, 422, "invalid_request")) == [where]


@pytest.mark.parametrize("verb", ["edits", "redact", "deduplicate"])
async def test_what_is_not_there_cannot_be_curated(
    idle_client: httpx.AsyncClient, verb: str
) -> None:
    body = {"edits": [DROPPED]} if verb == "edits" else {}
    answer = await idle_client.post(f"/datasets/none/{verb}", json=body)
    refused(answer, 404, "dataset_not_found")
