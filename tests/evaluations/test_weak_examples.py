"""From weak answers to better examples: rank, take, correct; and feedback that is learned from."""

import httpx
import pytest

from tests.api.expect import pages, pointers, refused
from tests.api.given import Json, created, dataset, judged, rows

MUTE, ECHO = "simulated/mute", "simulated/echo"
UNKNOWN = "I do not know."
KEY = {"Idempotency-Key": "once"}
FEEDBACK = {
    "messages": [{"role": "user", "content": "I was charged twice."}],
    "answer": "billing.refund",
    "rating": 2,
}


@pytest.fixture
async def evaluation(client: httpx.AsyncClient) -> Json:
    """Both are right on one example each, on which the other is wrong; on one both are wrong."""
    await dataset(
        client,
        "mixed",
        [
            {"prompt": "both wrong", "completion": "x"},
            {"prompt": "well", "completion": UNKNOWN},
            {"prompt": "say it", "completion": "say it"},
        ],
    )
    return await judged(client, dataset="mixed", candidates=[MUTE, ECHO])


async def lines(client: httpx.AsyncClient, evaluation: Json, **asked: str) -> list[int]:
    """The lines of an evaluation's examples, as they are listed."""
    path = f"/evaluations/{evaluation['id']}/examples"
    return [row["line"] for page in await pages(client, path, limit="2", **asked) for row in page]


async def test_examples_are_sorted_and_cut_as_asked(
    client: httpx.AsyncClient, evaluation: Json
) -> None:
    assert await lines(client, evaluation, sort="worst") == [1, 2, 3]
    assert await lines(client, evaluation, sort="worst", candidate=MUTE) == [1, 3, 2]
    assert await lines(client, evaluation, sort="disagreement") == [2, 3, 1]
    assert await lines(client, evaluation, slice="length:up_to_50") == [1, 2, 3]
    for asked in ("slice=label:x", "sort=worst&candidate=x", "sort=worst&metric=f1"):
        answer = await client.get(f"/evaluations/{evaluation['id']}/examples?{asked}")
        assert pointers(refused(answer, 422, "invalid_request"))


async def test_weak_examples_become_a_version_with_reasons(
    client: httpx.AsyncClient, evaluation: Json
) -> None:
    path = f"/evaluations/{evaluation['id']}/weak-examples"
    weak = created(await client.post(path, json={"from": "worst"}, headers=KEY))
    stored = weak["dataset"]
    assert (stored["name"], stored["examples"]) == ("mixed-weak", 2)
    assert stored["parent"] == evaluation["dataset"]["id"]
    assert stored["made_by"]["operation"] == "weak_examples"
    assert stored["made_by"]["parameters"]["source_lines"] == [1, 2]
    assert weak["reasons"][1] == {
        "line": 2,
        "source_line": 2,
        "reason": f"{ECHO} scores 0 on exact_match.",
        "scores": {MUTE: 1.0, ECHO: 0.0},
    }
    again = await client.post(path, json={"from": "worst"})
    assert (again.status_code, again.json()["dataset"]["id"]) == (200, stored["id"])
    assert again.json()["reasons"] == weak["reasons"]
    replayed = await client.post(path, json={"from": "worst"}, headers=KEY)
    assert replayed.headers["idempotent-replayed"] == "true"


async def test_weak_examples_are_corrected_and_trained_on(
    client: httpx.AsyncClient, evaluation: Json
) -> None:
    path = f"/evaluations/{evaluation['id']}/weak-examples"
    await client.post(path, json={"from": "disagreement", "name": "to-correct", "limit": 1})
    example = {"prompt": "well", "completion": "very well"}
    edits = {"edits": [{"op": "replace", "line": 1, "example": example}]}
    corrected = created(await client.post("/datasets/to-correct/edits", json=edits))
    assert (corrected["version"], corrected["examples"]) == (2, 1)
    [kept] = (await client.get("/datasets/to-correct/examples")).json()["data"]
    assert kept["example"]["messages"][-1]["content"] == "very well"


async def test_the_worst_of_a_slice_are_taken(client: httpx.AsyncClient) -> None:
    await dataset(
        client, "labels", [{"prompt": f"p {n}", "completion": "ab"[n % 2]} for n in range(8)]
    )
    evaluation = await judged(client, dataset="labels", candidates=[ECHO])
    body = {"from": "slice", "slice": "label:b", "limit": 2}
    weak = created(await client.post(f"/evaluations/{evaluation['id']}/weak-examples", json=body))
    assert [reason["source_line"] for reason in weak["reasons"]] == [2, 4]
    assert "label:b" in weak["reasons"][0]["reason"]


async def test_where_nothing_is_weak_nothing_is_stored(client: httpx.AsyncClient) -> None:
    await dataset(client)
    evaluation = await judged(client, candidates=[ECHO])
    path = f"/evaluations/{evaluation['id']}/weak-examples"
    refused(await client.post(path, json={"from": "worst"}), 422, "no_weak_examples")
    refused(await client.post(path, json={"from": "slice"}), 422, "invalid_request")


async def test_corrected_answers_become_examples(idle_client: httpx.AsyncClient) -> None:
    path = f"/models/{ECHO}/feedback"
    corrected = FEEDBACK | {"corrected": "billing.double_charge"}
    made = created(await idle_client.post(path, json=corrected, headers=KEY))
    assert made["model"] == ECHO
    for more in (FEEDBACK, FEEDBACK | {"answer": "fine", "rating": 5}):
        await idle_client.post(path, json=more)
    replayed = await idle_client.post(path, json=corrected, headers=KEY)
    assert replayed.json() == made
    listed = [row for page in await pages(idle_client, path, limit="2") for row in page]
    assert [one["rating"] for one in listed] == [5, 2, 2]

    body = {"model": ECHO, "name": "lessons"}
    only = created(await idle_client.post("/datasets/from-feedback", json=body))
    assert only["examples"] == 1
    both = await idle_client.post("/datasets/from-feedback", json=body | {"minimum_rating": 4})
    assert (both.json()["version"], both.json()["examples"]) == (2, 2)
    [first, second] = (await idle_client.get("/datasets/lessons/examples")).json()["data"]
    assert first["example"]["messages"][-1]["content"] == "billing.double_charge"
    assert second["example"]["messages"][-1]["content"] == "fine"


async def test_feedback_that_teaches_nothing_is_refused(idle_client: httpx.AsyncClient) -> None:
    path = f"/models/{ECHO}/feedback"
    system_only = FEEDBACK | {"messages": [{"role": "system", "content": "Hush."}]}
    odd = FEEDBACK | {"messages": [{"role": "user", "content": "a", "mood": "good"}]}
    nul = FEEDBACK | {"corrected": "a\0b"}
    for body in (system_only, odd, nul, FEEDBACK | {"rating": 6}):
        refused(await idle_client.post(path, json=body), 422, "invalid_request")
    refused(
        await idle_client.post("/models/model_none/feedback", json=FEEDBACK), 404, "model_not_found"
    )
    body = {"model": ECHO, "name": "lessons"}
    refused(await idle_client.post("/datasets/from-feedback", json=body), 422, "no_feedback")


async def test_a_name_that_is_taken_gets_the_next_version(client: httpx.AsyncClient) -> None:
    await dataset(client, "mixed-weak", rows(2))
    await dataset(client, "mixed", rows(3))
    evaluation = await judged(client, dataset="mixed", candidates=[MUTE])
    path = f"/evaluations/{evaluation['id']}/weak-examples"
    weak = created(await client.post(path, json={"from": "worst"}))
    assert (weak["dataset"]["version"], weak["dataset"]["examples"]) == (2, 3)
