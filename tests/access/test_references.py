"""Ids of another project's objects inside bodies and queries: they are not there either."""

import httpx
import pytest

from tests.access.given import OTHER, Headers, key, one_of_everything, other_project
from tests.api.expect import refused
from tests.api.given import Json, created, recipe


@pytest.fixture
async def theirs(client: httpx.AsyncClient) -> dict[str, str]:
    """Ids of the default project's objects."""
    return await one_of_everything(client)


@pytest.fixture
async def stranger(client: httpx.AsyncClient, theirs: dict[str, str]) -> Headers:
    """An admin of another project, which has a dataset of its own."""
    await other_project(client)
    headers = await key(client, "admin", project=OTHER)
    body = {"name": "own", "examples": [{"prompt": f"p{n}", "completion": "c"} for n in range(12)]}
    created(await client.post("/datasets", json=body, headers=headers))
    return headers


async def test_a_body_cannot_name_what_another_project_has(
    client: httpx.AsyncClient, theirs: dict[str, str], stranger: Headers
) -> None:
    there = (await client.get("/datasets/echo")).json()["id"]
    bodies: list[tuple[str, Json, str]] = [
        ("/jobs", recipe(dataset=there), "dataset_not_found"),
        ("/jobs", recipe(dataset="own", validation_dataset=there), "dataset_not_found"),
        ("/jobs", recipe(dataset="own", evaluate={"dataset": there}), "dataset_not_found"),
        ("/jobs", recipe(dataset="own", base_model=theirs["models"]), "model_not_found"),
        ("/quotes", {"dataset": there}, "dataset_not_found"),
        ("/datasets/from-feedback", {"model": theirs["models"], "name": "a"}, "model_not_found"),
    ]
    for path, body, code in bodies:
        refused(await client.post(path, json=body, headers=stranger), 404, code)
    for candidate in (theirs["models"], "prod"):
        body = {"dataset": "own", "candidates": [candidate]}
        refused(
            await client.post("/evaluations", json=body, headers=stranger), 422, "candidate_invalid"
        )
    answer = await client.put("/aliases/a", json={"model": theirs["models"]}, headers=stranger)
    assert answer.status_code in (404, 422)


async def test_a_query_cannot_either(
    client: httpx.AsyncClient, theirs: dict[str, str], stranger: Headers
) -> None:
    there = (await client.get("/datasets/echo")).json()["id"]
    for part in (f"leakage?held_out={there}", f"diff?against={there}"):
        answer = await client.get(f"/datasets/own/{part}", headers=stranger)
        refused(answer, 404, "dataset_not_found")
    for query in (f"/evaluations?job={theirs['jobs']}", f"/audit?object={theirs['jobs']}"):
        assert (await client.get(query, headers=stranger)).json()["data"] == []


async def test_the_same_names_mean_something_else(
    client: httpx.AsyncClient, theirs: dict[str, str], stranger: Headers
) -> None:
    own = created(
        await client.post(
            "/datasets",
            json={"name": "echo", "examples": [{"prompt": "a", "completion": "b"}]},
            headers=stranger,
        )
    )
    aliased = await client.put(
        "/aliases/prod", json={"model": "simulated/sim-base"}, headers=stranger
    )

    assert own["version"] == 1
    assert aliased.status_code in (200, 201)
    assert (await client.get("/aliases/prod")).json()["model"] == theirs["models"]
    assert (await client.get("/datasets/echo")).json()["examples"] == 12


async def test_an_idempotency_key_is_one_project_s(
    client: httpx.AsyncClient, theirs: dict[str, str], stranger: Headers
) -> None:
    promise = {"Idempotency-Key": "once"}
    body = {"name": "twin", "examples": [{"prompt": "a", "completion": "b"}]}

    first = created(await client.post("/datasets", json=body, headers=promise))
    other = created(await client.post("/datasets", json=body, headers=promise | stranger))

    assert first["id"] != other["id"]


async def test_a_deleted_dataset_leaves_the_same_content_elsewhere(
    client: httpx.AsyncClient, stranger: Headers
) -> None:
    body = {"name": "twin", "examples": [{"prompt": "a", "completion": "b"}]}
    created(await client.post("/datasets", json=body))
    created(await client.post("/datasets", json=body, headers=stranger))

    await client.delete("/datasets/twin")

    kept = await client.get("/datasets/twin/content", headers=stranger)
    assert kept.status_code == 200
    assert b'"a"' in kept.content


async def test_a_stranger_s_job_trains_and_answers_in_its_own_project(
    client: httpx.AsyncClient, stranger: Headers
) -> None:
    begun = created(await client.post("/jobs", json=recipe(dataset="own"), headers=stranger))
    while begun["finished_at"] is None:
        path = f"/jobs/{begun['id']}?wait=5"
        begun = (await client.get(path, headers=stranger)).json()

    listed = (await client.get("/models", headers=stranger)).json()["data"]
    assert [one["id"] for one in listed] == [begun["tuned_model"]]
    refused(await client.get(f"/models/{begun['tuned_model']}"), 404, "model_not_found")
    [line] = (await client.get("/ledger", headers=stranger)).json()["data"]
    assert line["job"] == begun["id"]
