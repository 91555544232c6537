"""Splits over HTTP: three versions that are the same for the same seed."""

from typing import Any

import httpx
import pytest

from tests.api.expect import pointers, refused
from tests.api.given import dataset, preferences, rows

SPLIT = "/datasets/echo/split"


def many(count: int = 100) -> list[dict[str, Any]]:
    """Examples that have nothing in common."""
    return [
        {"prompt": f"where{number} is{number} it{number}", "completion": f"a{number} b c {number}"}
        for number in range(count)
    ]


async def test_a_split_is_three_versions_of_datasets(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client, "echo", many())
    answer = await idle_client.post(SPLIT, json={"seed": 7})
    assert answer.status_code == 201, answer.text
    split = answer.json()
    parts = split["parts"]
    assert split["dataset"] == stored
    assert (split["groups"], split["compared"], split["stratified"]) == (100, 100, False)
    assert [parts[part]["name"] for part in ("train", "validation", "test")] == [
        "echo-train",
        "echo-validation",
        "echo-test",
    ]
    assert [parts[part]["examples"] for part in ("train", "validation", "test")] == [80, 10, 10]
    contents = [
        (await idle_client.get(f"/datasets/{one['id']}/content")).content.splitlines()
        for one in parts.values()
    ]
    whole = (await idle_client.get("/datasets/echo/content")).content.splitlines()
    assert sorted(line for content in contents for line in content) == sorted(whole)


async def test_the_same_seed_gives_the_versions_that_exist(
    idle_client: httpx.AsyncClient,
) -> None:
    await dataset(idle_client, "echo", many())
    first = await idle_client.post(SPLIT, json={"seed": 7})
    again = await idle_client.post(SPLIT, json={"seed": 7})
    other = await idle_client.post(SPLIT, json={"seed": 8})
    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.json()["parts"]["test"]["version"]) == (201, 2)


async def test_a_key_answers_the_first_answer_again(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", many())
    headers = {"Idempotency-Key": "once"}
    first = await idle_client.post(SPLIT, json={}, headers=headers)
    again = await idle_client.post(SPLIT, json={}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await idle_client.post(SPLIT, json={"seed": 1}, headers=headers)
    refused(other, 422, "idempotency_key_reused")


async def test_a_part_without_a_share_is_not_there(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", preferences(40))
    answer = await idle_client.post(SPLIT, json={"validation": 0, "test": 0.25})
    assert answer.status_code == 201, answer.text
    parts = answer.json()["parts"]
    assert parts["validation"] is None
    assert (parts["train"]["examples"], parts["test"]["kind"]) == (30, "preference")


async def test_a_version_of_a_dataset_can_be_named(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", many(50))
    await dataset(idle_client, "echo", many(60))
    answer = await idle_client.post("/datasets/echo@1/split", json={})
    assert answer.json()["dataset"]["examples"] == 50


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ({"validation": 0, "test": 0}, "invalid_request", []),
        ({"validation": 0.5, "test": 0.5}, "invalid_request", []),
        ({"test": -0.1}, "invalid_request", ["/test"]),
        ({"seed": -1}, "invalid_request", ["/seed"]),
        ({"share": 0.1}, "invalid_request", ["/share"]),
        ({"group_by": "messages"}, "invalid_request", ["/group_by"]),
        ({"group_by": "/nothing"}, "invalid_request", ["/group_by"]),
        ({"test": 0.01}, "split_impossible", []),
    ],
)
async def test_what_cannot_be_split_is_refused(
    idle_client: httpx.AsyncClient, body: dict[str, Any], code: str, where: list[str]
) -> None:
    await dataset(idle_client, "echo", rows(12))
    problem = refused(await idle_client.post(SPLIT, json=body), 422, code)
    assert pointers(problem) == where if where else True
    assert len((await idle_client.get("/datasets")).json()["data"]) == 1


async def test_names_stay_within_their_bounds(idle_client: httpx.AsyncClient) -> None:
    name = "n" * 95
    await dataset(idle_client, name, many(50))
    refused(await idle_client.post(f"/datasets/{name}/split", json={}), 422, "invalid_request")


async def test_what_is_not_there_cannot_be_split(idle_client: httpx.AsyncClient) -> None:
    refused(await idle_client.post("/datasets/none/split", json={}), 404, "dataset_not_found")
