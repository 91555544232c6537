"""Once around the loop of docs/iterate.md: train, measure, correct, train on, compare."""

import httpx

from tests.api.given import created, dataset, ended, job, judged, rows

WRONG = {"prompt": "say well", "completion": "say wel"}


async def test_a_weak_example_is_corrected_and_its_child_model_passes_the_gate(
    client: httpx.AsyncClient,
) -> None:
    await dataset(client, "train", rows(12))
    await dataset(client, "validation", [*rows(3), WRONG])
    await dataset(client, "test", rows(12))
    first = (await ended(client, await job(client, dataset="train")))["tuned_model"]

    measured = await judged(client, dataset="validation", candidates=["simulated/mute", first])
    path = f"/evaluations/{measured['id']}/weak-examples"
    weak = created(await client.post(path, json={"from": "worst", "name": "to-correct"}))
    assert [reason["source_line"] for reason in weak["reasons"]] == [4]

    right = WRONG | {"completion": "say well"}
    edits = {"edits": [{"op": "replace", "line": 1, "example": right}]}
    created(await client.post("/datasets/to-correct/edits", json=edits))
    lines = (await client.get("/datasets/to-correct/examples")).json()["data"]
    added = {"edits": [{"op": "add", "example": line["example"]} for line in lines]}
    train = created(await client.post("/datasets/train/edits", json=added))
    assert (train["version"], train["examples"]) == (2, 13)

    child = await ended(client, await job(client, base_model=first, dataset="train"))
    second = child["tuned_model"]
    assert (await client.get(f"/models/{second}")).json()["parent_model"] == first

    gate = {"metric": "exact_match", "non_inferiority_margin": 0.01}
    compared = await judged(client, dataset="test", candidates=[first, second], gate=gate)
    assert compared["passed"] is True
