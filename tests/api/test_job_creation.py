"""Creating jobs: what is accepted, and everything that is refused before money is spent."""

from typing import Any

import httpx
import pytest

from tests.api.expect import pointers, refused
from tests.api.given import created, dataset, job, preferences, recipe, rows


@pytest.fixture
async def stocked(idle_client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A service with datasets of every kind and no worker."""
    await dataset(idle_client)
    await dataset(idle_client, "few", rows(3))
    await dataset(idle_client, "choices", preferences())
    return idle_client


async def test_a_job_begins_queued(stocked: httpx.AsyncClient) -> None:
    answer = await stocked.post("/jobs", json=recipe(name="mine", seed=7, tags={"team": "care"}))
    queued = created(answer)
    assert answer.headers["location"] == f"/jobs/{queued['id']}"
    assert answer.headers["etag"] == f'"{queued["id"]}.1"'
    assert (queued["status"], queued["desired"], queued["stale"]) == ("queued", "run", False)
    assert (queued["name"], queued["seed"], queued["tags"]) == ("mine", 7, {"team": "care"})
    assert queued["dataset"]["name"] == "echo"
    assert queued["method"] == {"type": "sft", "hyperparameters": {}}
    assert [attempt["number"] for attempt in queued["attempts"]] == [1]
    assert queued["created_at"].endswith("Z")


async def test_what_was_not_said_is_chosen_and_told(stocked: httpx.AsyncClient) -> None:
    one, other = await job(stocked), await job(stocked)
    assert one["seed"] != other["seed"]
    assert (one["name"], one["tags"], one["validation_split"]) == (None, {}, None)


async def test_preferences_are_learned_with_their_method(stocked: httpx.AsyncClient) -> None:
    queued = await job(stocked, dataset="choices", method={"type": "dpo"})
    assert queued["method"]["type"] == "dpo"


REFUSED: list[tuple[dict[str, Any], int, str, list[str]]] = [
    ({"provider": "nowhere"}, 404, "provider_not_found", []),
    ({"base_model": "gpt-9"}, 422, "base_model_unknown", []),
    ({"base_model": "model_none"}, 404, "model_not_found", []),
    ({"dataset": "nothing"}, 404, "dataset_not_found", []),
    ({"dataset": "echo@2"}, 404, "dataset_not_found", []),
    ({"validation_dataset": "nothing"}, 404, "dataset_not_found", []),
    ({"evaluate": {"dataset": "nothing"}}, 404, "dataset_not_found", []),
    ({"dataset": "few"}, 422, "dataset_too_small", ["/dataset"]),
    ({"dataset": "choices"}, 422, "dataset_kind_unfit", ["/dataset"]),
    ({"method": {"type": "dpo"}}, 422, "dataset_kind_unfit", ["/dataset"]),
    ({"validation_dataset": "choices"}, 422, "dataset_kind_unfit", ["/validation_dataset"]),
    ({"evaluate": {"dataset": "choices"}}, 422, "dataset_kind_unfit", ["/evaluate/dataset"]),
    ({"method": {"type": "magic"}}, 422, "method_not_supported", ["/method/type"]),
    (
        {"base_model": "sim-sft-only", "method": {"type": "dpo"}, "dataset": "choices"},
        422,
        "method_not_supported",
        ["/method/type"],
    ),
    (
        {"method": {"hyperparameters": {"epochs": 51}}},
        422,
        "hyperparameters_invalid",
        ["/method/hyperparameters/epochs"],
    ),
    (
        {"evaluate": {"dataset": "echo", "metrics": ["taste"]}},
        422,
        "candidate_invalid",
        ["/evaluate/metrics"],
    ),
    ({"validation_dataset": "few", "validation_split": 0.1}, 422, "invalid_request", []),
    ({"validation_split": 0.5}, 422, "dataset_too_small", ["/dataset"]),
    ({"validation_split": 0}, 422, "invalid_request", ["/validation_split"]),
    ({"validation_split": 0.95}, 422, "invalid_request", ["/validation_split"]),
    ({"colour": "red"}, 422, "invalid_request", ["/colour"]),
    ({"method": {"type": "sft", "epochs": 3}}, 422, "invalid_request", ["/method/epochs"]),
    ({"name": ""}, 422, "invalid_request", ["/name"]),
    ({"seed": -1}, 422, "invalid_request", ["/seed"]),
    ({"seed": 2**31}, 422, "invalid_request", ["/seed"]),
    ({"dataset": 7}, 422, "invalid_request", ["/dataset"]),
    ({"tags": {"a b": "c"}}, 422, "invalid_request", ["/tags/a b/[key]"]),
    ({"tags": {"a": 1}}, 422, "invalid_request", ["/tags/a"]),
    ({"base_model": "a\0b"}, 422, "base_model_unknown", []),
]


@pytest.mark.parametrize(("changes", "status", "code", "where"), REFUSED)
async def test_what_cannot_work_is_refused(
    stocked: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str, where: list[str]
) -> None:
    problem = refused(await stocked.post("/jobs", json=recipe(**changes)), status, code)
    assert pointers(problem) == where if where else "errors" not in problem
    assert (await stocked.get("/jobs")).json()["data"] == []


@pytest.mark.parametrize("missing", ["provider", "base_model", "dataset"])
async def test_what_is_needed_is_asked_for(stocked: httpx.AsyncClient, missing: str) -> None:
    body = {name: value for name, value in recipe().items() if name != missing}
    problem = refused(await stocked.post("/jobs", json=body), 422, "invalid_request")
    assert pointers(problem) == [f"/{missing}"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"provider": ', 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b"\xff", 400, "bad_request"),
        (b"", 422, "invalid_request"),
        (b"[" * 100_000, 400, "bad_request"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    stocked: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    json = {"content-type": "application/json"}
    refused(await stocked.post("/jobs", content=body, headers=json), status, code)


async def test_half_a_character_is_refused(stocked: httpx.AsyncClient) -> None:
    body = b"""{"provider": "simulated", "base_model": "sim-base", "dataset": "echo",
               "method": {"hyperparameters": {"suffix": "\\ud800"}}}"""
    json = {"content-type": "application/json"}
    answer = await stocked.post("/jobs", content=body, headers=json)
    problem = refused(answer, 422, "invalid_request")
    assert pointers(problem) == ["/method/hyperparameters"]


async def test_a_text_with_nul_is_kept_readably(stocked: httpx.AsyncClient) -> None:
    queued = await job(stocked, name="a\0b", tags={"team": "c\0d"})
    seen = (await stocked.get(f"/jobs/{queued['id']}")).json()
    assert (seen["name"], seen["tags"]) == ("a\ufffdb", {"team": "c\ufffdd"})
    assert (await stocked.get("/jobs?tag=team:care")).json()["data"] == []
