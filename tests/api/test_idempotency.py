"""Idempotency-Key: one key creates one thing, however often and at once it is sent."""

import asyncio
from pathlib import Path

import httpx
import pytest

from app.bootstrap import House
from app.domain.access import Project
from app.domain.errors import ProjectExists
from app.domain.idempotency import Idempotency
from app.services.created import Created
from app.services.once import once
from tests.api.expect import refused, stored_files
from tests.api.given import Json, dataset, recipe, rows

KEY = {"Idempotency-Key": "order-7"}

BODIES: dict[str, tuple[Json, Json]] = {
    "/jobs": (recipe(), recipe(seed=1)),
    "/datasets": ({"name": "new", "examples": rows(1)}, {"name": "new", "examples": rows(2)}),
    "/evaluations": (
        {"dataset": "echo", "candidates": ["simulated/sim-base"]},
        {"dataset": "echo", "candidates": ["simulated/sim-base"], "limit": 1},
    ),
}


@pytest.fixture(params=BODIES)
def path(request: pytest.FixtureRequest) -> str:
    """Each place where things are created."""
    return request.param


@pytest.fixture
async def stocked(idle_client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A service with the dataset `echo` and no worker."""
    await dataset(idle_client)
    return idle_client


async def count(client: httpx.AsyncClient, path: str) -> int:
    """How many things are listed, the dataset `echo` aside."""
    listed = (await client.get(path)).json()["data"]
    return len([one for one in listed if one.get("name") != "echo"])


async def test_the_first_answer_is_given_again(stocked: httpx.AsyncClient, path: str) -> None:
    body, _ = BODIES[path]
    first = await stocked.post(path, json=body, headers=KEY)
    again = await stocked.post(path, json=body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_key_is_not_for_another_body(
    stocked: httpx.AsyncClient, path: str, tmp_path: Path
) -> None:
    body, other = BODIES[path]
    await stocked.post(path, json=body, headers=KEY)
    kept = stored_files(tmp_path)
    answer = await stocked.post(path, json=other, headers=KEY)
    refused(answer, 422, "idempotency_key_reused")
    assert stored_files(tmp_path) == kept


async def test_twenty_at_once_create_one(stocked: httpx.AsyncClient, path: str) -> None:
    body, _ = BODIES[path]
    answers = await asyncio.gather(*(stocked.post(path, json=body, headers=KEY) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert await count(stocked, path) == 1


async def test_different_bodies_at_once_create_one(
    stocked: httpx.AsyncClient, path: str, tmp_path: Path
) -> None:
    bodies = BODIES[path] * 5
    answers = await asyncio.gather(*(stocked.post(path, json=body, headers=KEY) for body in bodies))
    assert [answer.status_code for answer in answers].count(201) == 5
    for answer in answers:
        if answer.status_code != 201:
            refused(answer, 422, "idempotency_key_reused")
    assert await count(stocked, path) == 1
    assert len(stored_files(tmp_path)) == (2 if path == "/datasets" else 1)


async def test_a_refusal_uses_up_no_key(stocked: httpx.AsyncClient) -> None:
    refused(
        await stocked.post("/jobs", json=recipe(dataset="none"), headers=KEY),
        404,
        "dataset_not_found",
    )
    assert (await stocked.post("/jobs", json=recipe(), headers=KEY)).status_code == 201


async def test_a_key_belongs_to_one_operation(stocked: httpx.AsyncClient) -> None:
    for path, (body, _) in BODIES.items():
        assert (await stocked.post(path, json=body, headers=KEY)).status_code == 201


async def test_the_first_answer_outlives_what_it_speaks_of(
    stocked: httpx.AsyncClient, tmp_path: Path
) -> None:
    body, _ = BODIES["/datasets"]
    first = await stocked.post("/datasets", json=body, headers=KEY)
    await stocked.delete("/datasets/new")
    kept = stored_files(tmp_path)
    again = await stocked.post("/datasets", json=body, headers=KEY)
    assert again.json() == first.json()
    assert stored_files(tmp_path) == kept


async def test_who_is_refused_for_what_the_same_request_did_gets_its_answer(
    stocked: httpx.AsyncClient, house: House
) -> None:
    key, another = (Idempotency("create_project", one, "body") for one in ("order-7", "order-8"))

    async def create() -> Created[Project]:
        return await house.services.projects.create("atelier", None, key)

    async def create_too_late() -> Created[Project]:
        await create()
        raise ProjectExists("There is a project 'atelier'.")

    late = await once(house.database, key, Project, create_too_late)
    assert (late.thing.id, late.is_replay) == ("atelier", True)
    with pytest.raises(ProjectExists):
        await house.services.projects.create("atelier", None, another)


async def test_at_once_one_rolls_back_and_all_are_told(stocked: httpx.AsyncClient) -> None:
    for model in ("simulated/sim-base", "simulated/sim-sft-only"):
        await stocked.put("/aliases/triage", json={"model": model})
    answers = await asyncio.gather(
        *(stocked.post("/aliases/triage/rollback", headers=KEY) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["model"] for answer in answers} == {"simulated/sim-base"}
    assert len((await stocked.get("/aliases/triage")).json()["history"]) == 3


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_has_a_length(stocked: httpx.AsyncClient, key: str) -> None:
    answer = await stocked.post("/jobs", json=recipe(), headers={"Idempotency-Key": key})
    refused(answer, 422, "invalid_request")


async def test_racing_uploads_without_a_key_make_one_version(stocked: httpx.AsyncClient) -> None:
    body, _ = BODIES["/datasets"]
    answers = await asyncio.gather(*(stocked.post("/datasets", json=body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert {answer.json()["version"] for answer in answers} == {1}


async def test_racing_uploads_of_different_content_are_numbered(
    stocked: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(
        *(
            stocked.post("/datasets", json={"name": "new", "examples": rows(size)})
            for size in range(1, 11)
        )
    )
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 11))
