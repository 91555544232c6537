"""Leakage over HTTP: two stored versions, compared while one waits."""

import httpx

from tests.api.expect import refused
from tests.api.given import dataset, rows


async def test_a_leak_is_told_with_both_lines(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "train", rows(12))
    other = {"prompt": "Unlike anything else?", "completion": "Quite."}
    await dataset(idle_client, "test", [other, rows(12)[3]])
    found = (await idle_client.get("/datasets/train/leakage?held_out=test")).json()
    assert (found["dataset"]["name"], found["held_out"]["name"]) == ("train", "test")
    assert found["leakage"]["same_example"] == {
        "count": 1,
        "share": 0.5,
        "pairs": [{"held_out": 2, "line": 4}],
    }


async def test_the_parts_of_a_split_do_not_leak(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", rows(40))
    await idle_client.post("/datasets/echo/split", json={"validation": 0.2, "test": 0.2})
    path = "/datasets/echo-train/leakage?held_out=echo-test"
    assert (await idle_client.get(path)).json()["leakage"]["affected"] == 0


async def test_both_datasets_must_be_there(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    refused(await idle_client.get("/datasets/echo/leakage?held_out=none"), 404, "dataset_not_found")
    assert (await idle_client.get("/datasets/echo/leakage")).status_code == 422
