"""Evaluations: scores, differences, answers, and what is refused."""

from typing import Any

import httpx
import pytest

from tests.api.expect import pages, pointers, refused
from tests.api.given import dataset, ended, job, judged, preferences, rows, tuned

BASE = "simulated/sim-base"


async def test_the_tuned_model_is_compared_with_its_base(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    evaluation = await judged(client, candidates=[BASE, model], metrics=["exact_match", "f1"])
    assert (evaluation["status"], evaluation["error"]) == ("succeeded", None)
    assert evaluation["candidates"] == [BASE, model]
    assert (evaluation["examples"], evaluation["answered"], evaluation["total"]) == (12, 24, 24)
    means = {(one["candidate"], one["metric"]): one["mean"] for one in evaluation["scores"]}
    assert means == {
        (BASE, "exact_match"): 0.0,
        (BASE, "f1"): 0.0,
        (model, "exact_match"): 1.0,
        (model, "f1"): 1.0,
    }
    assert [
        (gap["candidate"], gap["baseline"], gap["mean"], gap["interval"])
        for gap in evaluation["differences"]
    ] == [(model, BASE, 1.0, {"low": 1.0, "high": 1.0})] * 2


async def test_an_interval_shows_how_sure_a_mean_is(client: httpx.AsyncClient) -> None:
    mixed = rows(6) + [{"prompt": f"say {n}", "completion": "I do not know."} for n in range(6)]
    await dataset(client, "mixed", mixed)
    [score] = (await judged(client, dataset="mixed", candidates=[BASE]))["scores"]
    assert (score["mean"], score["examples"]) == (0.5, 12)
    assert 0.0 < score["interval"]["low"] < 0.5 < score["interval"]["high"] < 1.0


async def test_answers_are_listed_by_row_and_by_worst(client: httpx.AsyncClient) -> None:
    right = {"prompt": "well?", "completion": "I do not know."}
    await dataset(client, "mixed", [right, *rows(2), right])
    evaluation = await judged(client, dataset="mixed", candidates=[BASE])
    path = f"/evaluations/{evaluation['id']}/examples"
    by_row = [row for page in await pages(client, path, limit="3") for row in page]
    worst = [row for page in await pages(client, path, limit="3", sort="worst") for row in page]
    assert [row["line"] for row in by_row] == [1, 2, 3, 4]
    assert [row["line"] for row in worst] == [2, 3, 1, 4]
    assert worst[0]["prompt"] == [{"role": "user", "content": "say 0"}]
    assert worst[0]["expected"] == "say 0"
    [answer] = worst[0]["answers"]
    assert (answer["candidate"], answer["output"]) == (BASE, "I do not know.")
    assert answer["scores"] == {"exact_match": 0.0}


async def test_only_the_first_examples_may_be_asked(client: httpx.AsyncClient) -> None:
    await dataset(client)
    evaluation = await judged(client, candidates=[BASE], limit=5)
    assert (evaluation["limit"], evaluation["examples"], evaluation["answered"]) == (5, 5, 5)


async def test_what_is_named_twice_counts_once(client: httpx.AsyncClient) -> None:
    await dataset(client)
    evaluation = await judged(client, candidates=[BASE, BASE], metrics=["f1", "f1"])
    assert (evaluation["candidates"], evaluation["metrics"]) == ([BASE], ["f1"])
    assert len(evaluation["scores"]) == 1


async def test_a_job_brings_its_evaluation(client: httpx.AsyncClient) -> None:
    await dataset(client)
    await dataset(client, "test", rows(3))
    done = await ended(client, await job(client, evaluate={"dataset": "test", "metrics": ["f1"]}))
    [evaluation] = (await client.get("/evaluations", params={"job": done["id"]})).json()["data"]
    assert (evaluation["job"], evaluation["metrics"]) == (done["id"], ["f1"])
    assert evaluation["candidates"] == [BASE, done["tuned_model"]]
    assert (evaluation["dataset"]["name"], evaluation["total"]) == ("test", 6)
    assert (await client.get("/evaluations?job=job_none")).json()["data"] == []


async def test_evaluations_are_listed_page_by_page(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    body = {"dataset": "echo", "candidates": [BASE]}
    made = [(await idle_client.post("/evaluations", json=body)).json() for _ in range(3)]
    seen = await pages(idle_client, "/evaluations", limit="2")
    newest_first = sorted(made, key=lambda one: one["id"], reverse=True)
    assert seen == [newest_first[:2], newest_first[2:]]
    assert (await idle_client.delete("/datasets/echo")).status_code == 409


async def test_examples_without_an_answer_in_text_cannot_be_compared(
    client: httpx.AsyncClient,
) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    turns = [{"role": "user", "content": "Look!"}, {"role": "assistant", "tool_calls": [call]}]
    await dataset(client, "calls", [{"messages": turns}])
    evaluation = await judged(client, dataset="calls", candidates=[BASE])
    assert (evaluation["status"], evaluation["error"]["code"]) == ("failed", "dataset_unfit")


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        ({"candidates": [BASE, "model_none"]}, 422, "candidate_invalid", ["/candidates/1"]),
        ({"candidates": ["simulated/none"]}, 422, "candidate_invalid", ["/candidates/0"]),
        ({"candidates": ["nowhere/x"]}, 422, "candidate_invalid", ["/candidates/0"]),
        ({"candidates": []}, 422, "invalid_request", ["/candidates"]),
        ({"metrics": ["taste"]}, 422, "candidate_invalid", ["/metrics"]),
        ({"metrics": []}, 422, "invalid_request", ["/metrics"]),
        ({"limit": 0}, 422, "invalid_request", ["/limit"]),
        ({"limit": 10**30}, 422, "invalid_request", ["/limit"]),
        ({"gate": {}}, 422, "invalid_request", ["/gate/metric"]),
        ({"dataset": "none"}, 404, "dataset_not_found", []),
        ({"dataset": "choices"}, 422, "dataset_kind_unfit", []),
    ],
)
async def test_what_cannot_be_compared_is_refused(
    idle_client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str, where: list[str]
) -> None:
    await dataset(idle_client)
    await dataset(idle_client, "choices", preferences())
    asked = {"dataset": "echo", "candidates": [BASE]} | body
    problem = refused(await idle_client.post("/evaluations", json=asked), status, code)
    assert pointers(problem) == where if where else "errors" not in problem
    assert (await idle_client.get("/evaluations")).json()["data"] == []


async def test_an_evaluation_that_does_not_exist_is_not_found(
    idle_client: httpx.AsyncClient,
) -> None:
    for path in ("/evaluations/eval_none", "/evaluations/a%00b/examples"):
        refused(await idle_client.get(path), 404, "evaluation_not_found")
    answer = await idle_client.get("/evaluations/eval_none/examples?sort=best")
    refused(answer, 422, "invalid_request")
