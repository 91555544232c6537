"""Cards of tuned models: what they say, making the same again, comparing two."""

import hashlib
import json
from typing import Any

import httpx
import pytest
from huggingface_hub import ModelCard

from tests.api import expect
from tests.api.given import Json, created, dataset, ended, job, judged, rows, tuned


async def card_of(client: httpx.AsyncClient, model: str) -> Json:
    """The card of a tuned model."""
    answer = await client.get(f"/models/{model}/card")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def repeated(client: httpx.AsyncClient, card: Json, **changes: Any) -> Json:
    """The card of the model that a card made again."""
    again = created(await client.post("/jobs", json={"card": card} | changes))
    done = await ended(client, again)
    assert done["status"] == "succeeded", done
    return await card_of(client, done["tuned_model"])


async def test_a_card_says_what_was_sent(client: httpx.AsyncClient) -> None:
    model = await tuned(client, seed=7, name="echo", method={"hyperparameters": {"epochs": 2}})
    stored = (await client.get("/datasets/echo")).json()

    card = await card_of(client, model)

    lines = (await client.get("/datasets/echo/content")).content.splitlines()
    hashes = b"".join(hashlib.sha256(line).digest() for line in lines)
    sent = card["training"]["sent"]
    assert sent == {
        "dataset_sha256": stored["sha256"],
        "examples": 12,
        "sha256": hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest(),
        "rows_sha256": hashlib.sha256(hashes).hexdigest(),
    }
    assert (card["card_version"], card["seed"], card["validation"]) == (1, 7, None)
    assert card["model"]["name"] == "echo"
    assert card["method"]["requested"] == {"epochs": 2}
    assert card["versions"].keys() >= {"luthier", "python"}


async def test_both_sides_of_a_split_are_told(client: httpx.AsyncClient) -> None:
    model = await tuned(client, validation_split=0.15)

    card = await card_of(client, model)

    training, validation = card["training"]["sent"], card["validation"]["sent"]
    assert (training["examples"], validation["examples"]) == (10, 2)
    assert training["dataset_sha256"] == validation["dataset_sha256"]
    assert training["rows_sha256"] != validation["rows_sha256"]


@pytest.mark.parametrize("held_out", [{}, {"validation_split": 0.15}, {"validation_dataset": "x"}])
async def test_a_card_makes_the_same_again(client: httpx.AsyncClient, held_out: Json) -> None:
    await dataset(client, "x", rows(3))
    first = await card_of(client, await tuned(client, seed=7, **held_out))

    second = await repeated(client, first)

    assert second["training"] == first["training"]
    assert second["validation"] == first["validation"]
    assert second["method"]["effective"] == first["method"]["effective"]
    assert second["seed"] == 7


async def test_a_card_may_be_changed_on_the_way(client: httpx.AsyncClient) -> None:
    first = await card_of(client, await tuned(client, seed=7))

    changed = {"seed": 8, "hyperparameters": {"epochs": 4}, "tags": {"try": "2"}}
    second = await repeated(client, first, **changed)

    assert second["method"]["requested"]["epochs"] == 4
    query = f"/models/{first['model']['id']}/card/diff?with={second['model']['id']}"
    changes = {one["pointer"]: one for one in (await client.get(query)).json()["changes"]}
    assert changes["/seed"] == {"pointer": "/seed", "from": 7, "to": 8}
    assert not any(pointer.startswith("/training") for pointer in changes)


async def test_a_card_without_its_examples_is_refused(client: httpx.AsyncClient) -> None:
    card = await card_of(client, await tuned(client))
    sha256 = "0" * 64
    card["training"]["sent"]["dataset_sha256"] = sha256

    refused = await client.post("/jobs", json={"card": card})

    problem = expect.refused(refused, 422, "card_unfit")
    assert sha256 in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/card/training/sent/dataset_sha256"


async def test_a_card_of_another_version_is_refused(client: httpx.AsyncClient) -> None:
    card = await card_of(client, await tuned(client)) | {"card_version": 2}

    refused = await client.post("/jobs", json={"card": card})

    problem = expect.refused(refused, 422, "invalid_request")
    assert problem["errors"][0]["pointer"] == "/card/card_version"


async def test_an_idempotency_key_outlives_the_examples(client: httpx.AsyncClient) -> None:
    card, key = await card_of(client, await tuned(client)), {"Idempotency-Key": "again"}
    first = await client.post("/jobs", json={"card": card}, headers=key)
    await ended(client, first.json())
    assert (await client.delete("/datasets/echo")).status_code == 204

    second = await client.post("/jobs", json={"card": card}, headers=key)

    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json()["id"] == first.json()["id"]


async def test_evaluations_and_decisions_stand_on_the_card(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await client.put("/aliases/echo@prod", json={"model": model})
    evaluation = await judged(client, candidates=["simulated/sim-base", model])

    card = await card_of(client, "echo@prod")

    [seen] = card["evaluations"]
    assert seen["id"] == evaluation["id"]
    [score] = seen["scores"]
    assert score["mean"] == 1.0
    assert score["interval"].keys() == {"low", "high"}
    assert [one["alias"] for one in card["decisions"]] == ["echo@prod"]


async def test_what_is_not_known_is_null(client: httpx.AsyncClient) -> None:
    await dataset(client)
    other = await ended(client, await job(client))

    card = await card_of(client, other["tuned_model"])

    assert card["base_model"]["sha256"] is None
    assert card["model"]["sha256"] is None


async def test_the_card_reads_as_hugging_face_has_it(client: httpx.AsyncClient) -> None:
    model = await tuned(client, name="a | b <script>: 'x'")

    answer = await client.get(f"/models/{model}/card", headers={"Accept": "text/markdown"})

    assert answer.headers["Content-Type"].startswith("text/markdown")
    read = ModelCard(answer.text)
    assert read.data.to_dict()["base_model"] == "sim-base"
    assert "<script" not in read.text
    assert json.dumps(model) or model in read.text


async def test_weights_at_a_vendor_cannot_be_taken(client: httpx.AsyncClient) -> None:
    refused = await client.get(f"/models/{await tuned(client)}/export")

    expect.refused(refused, 409, "operation_not_supported")
