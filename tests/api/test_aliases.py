"""Aliases: pointing, moving under a gate, rolling back, and promotion by a job."""

import asyncio
import itertools
from typing import Any

import httpx
import pytest

from tests.api.expect import pages, pointers, refused
from tests.api.given import Json, at_its_end, dataset, ended, job, judged, pause, rows, tuned

BASE = "simulated/sim-base"
NAME = "support@prod"
PATH = f"/aliases/{NAME}"
GATE: Json = {"metric": "exact_match", "min_delta": 0.0}
ASK: Json = {"messages": [{"role": "user", "content": "well?"}]}


async def put(client: httpx.AsyncClient, model: str, **more: Any) -> httpx.Response:
    """The answer to the wish that the alias means a model."""
    return await client.put(PATH, json={"model": model} | more)


async def history(client: httpx.AsyncClient) -> list[tuple[str, str | None, str | None]]:
    """What was decided on the alias, newest first: kind, from and to."""
    told = (await client.get(PATH)).json()["history"]
    return [(one["kind"], one["from_model"], one["to_model"]) for one in told]


async def passed(client: httpx.AsyncClient, *candidates: str, **more: Any) -> str:
    """The id of an evaluation under the gate that was waited for."""
    body: Json = {"candidates": list(candidates), "gate": GATE} | more
    return (await judged(client, **body))["id"]


async def retuned(client: httpx.AsyncClient, **changes: Any) -> Json:
    """One more job on the dataset `echo` at its end."""
    return await ended(client, await job(client, **changes))


async def decided(client: httpx.AsyncClient, done: Json) -> Json:
    """The last event of a job once its promotion has been decided on."""
    while True:
        events = (await client.get(f"/jobs/{done['id']}/events", params={"limit": 200})).json()
        if events["data"][-1]["type"] in ("job.promoted", "job.not_promoted"):
            return events["data"][-1]
        await pause()


async def test_an_alias_stands_for_its_model(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    made = await put(client, model)
    assert (made.status_code, made.json()["model"]) == (201, model)
    assert (await client.get(f"/models/{NAME}")).json()["id"] == model
    answer = (await client.post(f"/models/{NAME}/chat/completions", json=ASK)).json()
    assert (answer["model"], answer["choices"][0]["message"]["content"]) == (NAME, "well?")
    evaluation = await judged(client, candidates=[BASE, NAME])
    assert (evaluation["status"], evaluation["candidates"]) == ("succeeded", [BASE, NAME])


async def test_a_move_counts_from_the_next_question_on(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await put(client, BASE)
    first = (await client.post(f"/models/{NAME}/chat/completions", json=ASK)).json()
    moved = await put(client, model)
    second = (await client.post(f"/models/{NAME}/chat/completions", json=ASK)).json()
    assert moved.status_code == 200
    said = [one["choices"][0]["message"]["content"] for one in (first, second)]
    assert said == ["I do not know.", "well?"]
    assert await history(client) == [("moved", BASE, model), ("created", None, BASE)]


async def test_the_same_wish_again_changes_nothing(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await put(client, BASE, gate=GATE)
    assert await history(client) == [("created", None, BASE)]


async def test_a_gated_alias_moves_with_an_evaluation_that_passes(
    client: httpx.AsyncClient,
) -> None:
    model = await tuned(client)
    await put(client, BASE, gate=GATE)
    evaluation = await passed(client, NAME, model)
    moved = await put(client, model, evaluation=evaluation)
    assert (moved.status_code, moved.json()["gate"]["metric"]) == (200, "exact_match")
    newest = (await client.get(PATH)).json()["history"][0]
    assert (newest["kind"], newest["evaluation"], newest["by"]) == ("moved", evaluation, "api")
    assert (newest["verdict"]["passed"], newest["verdict"]["gate"]["gain"]) == (True, 1.0)


async def test_a_gate_that_is_not_met_refuses_with_its_numbers(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await put(client, model, gate=GATE | {"min_delta": 0.1})
    other = (await retuned(client))["tuned_model"]
    evaluation = await passed(client, model, other, gate=GATE | {"min_delta": 0.1})
    problem = refused(await put(client, other, evaluation=evaluation), 409, "gate_not_met")
    assert pointers(problem) == ["/evaluation"]
    assert "0.1 needed" in problem["errors"][0]["message"]
    assert (await client.get(PATH)).json()["model"] == model
    assert await history(client) == [("created", None, model)]


async def test_only_the_alias_s_own_question_opens_its_gate(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    other = (await retuned(client))["tuned_model"]
    await put(client, other, gate=GATE)
    wrong = [
        await passed(client, BASE, model),
        (await judged(client, candidates=[other, model]))["id"],
        await passed(client, other, model, gate=GATE | {"confidence": 0.6}),
        await passed(client, other, model, gate={"metric": "f1", "min_delta": 0.0}),
        await passed(client, other, BASE, gate=GATE | {"min_delta": -1.0}),
    ]
    for evaluation in (None, *wrong):
        refused(await put(client, model, evaluation=evaluation), 409, "gate_not_met")
    right = await passed(client, other, model)
    assert (await put(client, model, evaluation=right)).json()["model"] == model


async def test_a_guard_on_another_dataset_is_part_of_the_gate(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await dataset(client, "safe", rows(11))
    gate = GATE | {"guards": [{"dataset": "safe", "max_drop": 0.1}]}
    await put(client, BASE, gate=gate)
    loose = await passed(client, BASE, model)
    refused(await put(client, model, evaluation=loose), 409, "gate_not_met")
    strict = await passed(client, BASE, model, gate=gate)
    assert (await put(client, model, evaluation=strict)).status_code == 200


async def test_a_gate_stays_changes_and_goes(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await put(client, BASE, gate=GATE)
    assert (await put(client, BASE)).json()["gate"]["min_delta"] == 0.0
    assert (await put(client, BASE, gate=GATE | {"min_delta": 0.5})).json()["gate"] == {
        "metric": "exact_match",
        "min_delta": 0.5,
        "non_inferiority_margin": None,
        "confidence": 0.95,
        "guards": [],
    }
    refused(await put(client, model, gate=None), 409, "gate_not_met")
    assert (await put(client, BASE, gate=None)).json()["gate"] is None
    assert (await put(client, model)).json()["model"] == model


async def test_rolling_back_undoes_move_by_move(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    other = (await retuned(client))["tuned_model"]
    for target in (BASE, model, other):
        await put(client, target)
    seen = [(await client.post(f"{PATH}/rollback")).json()["model"] for _ in range(2)]
    assert seen == [model, BASE]
    refused(await client.post(f"{PATH}/rollback"), 409, "nothing_to_roll_back")
    assert (await history(client))[:2] == [
        ("rolled_back", model, BASE),
        ("rolled_back", other, model),
    ]


async def test_a_rollback_with_a_key_is_made_once(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    for target in (BASE, "simulated/sim-sft-only", model):
        await put(client, target)
    key = {"Idempotency-Key": "back"}
    answers = [await client.post(f"{PATH}/rollback", headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotent-replayed"] == "true"


async def test_no_way_leads_back_to_a_model_that_is_gone(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await put(client, model)
    problem = refused(await client.delete(f"/models/{model}"), 409, "model_in_use")
    assert NAME in problem["detail"]
    await put(client, BASE)
    assert (await client.delete(f"/models/{model}")).status_code == 204
    refused(await client.post(f"{PATH}/rollback"), 409, "nothing_to_roll_back")


async def test_a_deleted_alias_means_nothing_and_its_history_stays(
    client: httpx.AsyncClient,
) -> None:
    await put(client, BASE)
    assert (await client.delete(PATH)).status_code == 204
    for answer in (await client.get(PATH), await client.delete(PATH)):
        refused(answer, 404, "alias_not_found")
    question = await client.post(f"/models/{NAME}/chat/completions", json=ASK)
    refused(question, 404, "model_not_found")
    await put(client, BASE)
    assert [kind for kind, *_ in await history(client)] == ["created", "deleted", "created"]


async def test_aliases_are_listed_and_their_moves_told(client: httpx.AsyncClient) -> None:
    for name in ("one", "two", "three"):
        await client.put(f"/aliases/{name}", json={"model": BASE})
    seen = [alias["name"] for page in await pages(client, "/aliases", limit="2") for alias in page]
    assert seen == ["three", "two", "one"]
    told = [one for page in await pages(client, "/events", type="alias.*") for one in page]
    assert [(one["type"], one["subject"]) for one in told] == [
        ("alias.created", "one"),
        ("alias.created", "two"),
        ("alias.created", "three"),
    ]
    assert [one["id"] for one in told] == sorted(one["id"] for one in told)
    assert (await client.get("/events?type=model.*")).json()["data"] == []


async def test_a_job_promotes_its_model(client: httpx.AsyncClient) -> None:
    await dataset(client)
    wish: Json = {"evaluate": {"dataset": "echo"}, "promote": {"alias": NAME}}
    await put(client, BASE, gate=GATE)
    done = await retuned(client, **wish)
    told = await decided(client, done)
    assert (done["promote"], told["type"]) == ({"alias": NAME}, "job.promoted")
    alias = (await client.get(PATH)).json()
    assert (alias["model"], alias["history"][0]["by"]) == (done["tuned_model"], done["id"])
    assert alias["history"][0]["evaluation"] == told["data"]["evaluation"]


async def test_a_job_that_is_not_better_does_not_promote(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await put(client, model, gate={"metric": "f1", "min_delta": 0.1})
    done = await retuned(client, evaluate={"dataset": "echo"}, promote={"alias": NAME})
    told = await decided(client, done)
    assert (told["type"], told["data"]["alias"]) == ("job.not_promoted", NAME)
    alias = (await client.get(PATH)).json()
    assert (alias["model"], alias["history"][0]["kind"]) == (model, "refused")
    assert alias["history"][0]["reason"] == told["data"]["reason"]
    assert alias["history"][0]["verdict"]["gate"]["needed"] == 0.1


async def test_a_job_may_make_its_alias(client: httpx.AsyncClient) -> None:
    await dataset(client)
    done = await retuned(client, evaluate={"dataset": "echo"}, promote={"alias": NAME})
    assert (await decided(client, done))["type"] == "job.promoted"
    assert (await client.get(PATH)).json()["model"] == done["tuned_model"]


async def test_an_evaluation_that_is_scored_anew_decides_nothing_again(
    client: httpx.AsyncClient,
) -> None:
    await dataset(client)
    await put(client, BASE)
    done = await retuned(client, evaluate={"dataset": "echo"}, promote={"alias": NAME})
    told = await decided(client, done)
    await client.post(f"{PATH}/rollback")
    path = f"/evaluations/{told['data']['evaluation']}"
    await client.post(f"{path}/metrics", json={"metrics": ["f1"]})
    await at_its_end(client, path)
    assert (await client.get(PATH)).json()["model"] == BASE


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "model_none"}, 404, "model_not_found"),
        ({"model": "nowhere"}, 404, "model_not_found"),
        ({"model": BASE, "gate": GATE | {"metric": "taste"}}, 422, "candidate_invalid"),
        ({"model": BASE, "gate": {"metric": "f1"}}, 422, "invalid_request"),
        (
            {"model": BASE, "gate": GATE | {"guards": [{"dataset": "none", "max_drop": 0}]}},
            404,
            "dataset_not_found",
        ),
        ({}, 422, "invalid_request"),
    ],
)
async def test_what_an_alias_cannot_be_is_refused(
    idle_client: httpx.AsyncClient, body: Json, status: int, code: str
) -> None:
    refused(await idle_client.put(PATH, json=body), status, code)
    assert (await idle_client.get("/aliases")).json()["data"] == []


@pytest.mark.parametrize("name", ["model_x", "-x", "a b", "a%00b", "x" * 101])
async def test_a_name_that_could_mean_something_else_is_refused(
    idle_client: httpx.AsyncClient, name: str
) -> None:
    answer = await idle_client.put(f"/aliases/{name}", json={"model": BASE})
    refused(answer, 422, "invalid_request")
    refused(await idle_client.get(f"/aliases/{name}"), 404, "alias_not_found")


async def test_a_promotion_that_nothing_could_decide_is_refused(
    idle_client: httpx.AsyncClient,
) -> None:
    await dataset(idle_client)
    body: Json = {"provider": "simulated", "base_model": "sim-base", "dataset": "echo"}
    body |= {"promote": {"alias": NAME}}
    refused(await idle_client.post("/jobs", json=body), 422, "invalid_request")
    await put(idle_client, BASE, gate={"metric": "judge", "min_delta": 0.1})
    asked = body | {"evaluate": {"dataset": "echo"}}
    problem = refused(await idle_client.post("/jobs", json=asked), 422, "candidate_invalid")
    assert pointers(problem) == ["/promote/alias"]


async def test_wishes_at_the_same_time_are_taken_one_after_the_other(
    client: httpx.AsyncClient,
) -> None:
    model = await tuned(client)
    answers = await asyncio.gather(*(put(client, target) for target in [BASE, model] * 4))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    steps = list(reversed(await history(client)))
    assert all(before[2] == after[1] for before, after in itertools.pairwise(steps))
    assert (await client.get(PATH)).json()["model"] == steps[-1][2]
