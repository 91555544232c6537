"""Models: listing, asking, removing."""

import json
from typing import Any

import httpx
import pytest

from app import bootstrap
from app.bootstrap import House
from tests.api.expect import pages, refused
from tests.api.given import created, dataset, ended, job, judged, tuned
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "say cheese please"}]}
BASE = "simulated/sim-base"


def said(answer: httpx.Response) -> str:
    """What the assistant said."""
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]["content"]


async def ask(client: httpx.AsyncClient, reference: str, **more: Any) -> httpx.Response:
    """The answer of a model."""
    return await client.post(f"/models/{reference}/chat/completions", json=ASK | more)


async def test_a_model_tells_how_it_came_about(client: httpx.AsyncClient) -> None:
    model_id = await tuned(client, name="echo-one")
    model = (await client.get(f"/models/{model_id}")).json()
    assert (model["id"], model["name"]) == (model_id, "echo-one")
    assert (model["provider"], model["base_model"]) == ("simulated", "sim-base")
    assert (model["parent_model"], model["kind"]) == (None, "remote")
    assert (model["dataset"]["name"], model["method"]["type"]) == ("echo", "sft")
    assert (await client.get(f"/jobs/{model['job']}")).json()["tuned_model"] == model_id
    assert "artifact" not in model


async def test_models_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    await dataset(client)
    done = [await ended(client, await job(client)) for _ in range(3)]
    models = sorted((one["tuned_model"] for one in done), reverse=True)
    seen = await pages(client, "/models", limit="2", provider="simulated")
    assert [[model["id"] for model in page] for page in seen] == [models[:2], models[2:]]
    assert (await client.get("/models?provider=elsewhere")).json()["data"] == []


async def test_base_and_tuned_models_answer(client: httpx.AsyncClient) -> None:
    model_id = await tuned(client)
    assert said(await ask(client, BASE)) == "I do not know."
    answer = await ask(client, model_id, temperature=0, max_tokens=5, logit_bias={})
    assert said(answer) == "say cheese please"
    assert answer.json()["model"] == model_id


async def test_the_answer_names_the_model_that_was_asked(client: httpx.AsyncClient) -> None:
    answer = await ask(client, BASE, model="something-else")
    assert answer.json()["model"] == BASE


async def test_an_answer_may_be_streamed(client: httpx.AsyncClient) -> None:
    stream = await ask(client, BASE, stream=True)
    assert stream.headers["content-type"].startswith("text/event-stream")
    *frames, last, rest = stream.text.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames]
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == [
        "I", "do", "not", "know."
    ]  # fmt: skip
    assert {chunk["model"] for chunk in chunks} == {BASE}


@pytest.mark.parametrize(
    "model", ["model_none", "sim-base", "simulated/none", "nowhere/sim-base", "simulated/", "a%00b"]
)
async def test_a_model_that_does_not_exist_is_not_found(
    idle_client: httpx.AsyncClient, model: str
) -> None:
    for more in ({}, {"stream": True}):
        refused(await ask(idle_client, model, **more), 404, "model_not_found")
    refused(await idle_client.get(f"/models/{model}"), 404, "model_not_found")
    refused(await idle_client.delete(f"/models/{model}"), 404, "model_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": "hello"},
        {"messages": ["hello"]},
        ASK | {"temperature": 3},
        ASK | {"max_tokens": 0},
        ASK | {"stream": "perhaps"},
    ],
)
async def test_a_question_that_is_none_is_refused(
    idle_client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await idle_client.post(f"/models/{BASE}/chat/completions", json=body)
    refused(answer, 422, "invalid_request")


async def test_a_removed_model_is_gone(client: httpx.AsyncClient) -> None:
    model_id = await tuned(client)
    assert (await client.delete(f"/models/{model_id}")).status_code == 204
    refused(await client.get(f"/models/{model_id}"), 404, "model_not_found")
    refused(await ask(client, model_id), 404, "model_not_found")
    refused(await client.delete(f"/models/{model_id}"), 404, "model_not_found")
    [kept] = (await client.get("/jobs")).json()["data"]
    assert kept["tuned_model"] == model_id


async def test_a_model_that_the_vendor_did_not_remove_stays(
    client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    model_id = await tuned(client)
    vendor.order("delete", "lose")
    refused(await client.delete(f"/models/{model_id}"), 500, "internal_error")
    assert (await client.get(f"/models/{model_id}")).status_code == 200
    assert (await client.delete(f"/models/{model_id}")).status_code == 204


async def test_a_model_under_evaluation_is_not_removed(house: House) -> None:
    async with api(house, reconcile=True) as client:
        model_id = await tuned(client)
    at_rest = bootstrap.build(house.settings, providers=house.providers)
    async with api(at_rest, reconcile=False) as client:
        body = {"dataset": "echo", "candidates": [model_id]}
        evaluation = created(await client.post("/evaluations", json=body))
        problem = refused(await client.delete(f"/models/{model_id}"), 409, "model_in_use")
    assert evaluation["id"] in problem["detail"]


async def test_nothing_of_the_vendors_trouble_leaks(
    client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    vendor.order("chat", "lose")
    answer = await ask(client, BASE)
    refused(answer, 500, "internal_error")
    assert "lost" not in answer.text


async def test_removing_leaves_past_evaluations_readable(client: httpx.AsyncClient) -> None:
    model_id = await tuned(client)
    evaluation = await judged(client, candidates=[BASE, model_id])
    await client.delete(f"/models/{model_id}")
    assert (await client.get(f"/evaluations/{evaluation['id']}")).json() == evaluation


async def test_providers_and_their_base_models_are_listed(idle_client: httpx.AsyncClient) -> None:
    [provider] = (await idle_client.get("/providers")).json()["data"]
    assert (provider["name"], provider["methods"]) == ("simulated", ["dpo", "sft"])
    assert (await idle_client.get("/providers/simulated")).json() == provider
    models = (await idle_client.get("/providers/simulated/base-models")).json()["data"]
    assert {model["name"]: model["methods"] for model in models} == {
        "sim-base": ["sft", "dpo"],
        "sim-sft-only": ["sft"],
    }
    for path in ("/providers/none", "/providers/none/base-models"):
        refused(await idle_client.get(path), 404, "provider_not_found")
