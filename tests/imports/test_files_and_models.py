"""Files become datasets, and models are ours whether or not their job is."""

import asyncio
import json

import httpx
from openai import AsyncOpenAI

from app.sandbox.frame.faults import Reset
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.api.expect import refused
from tests.api.given import until
from tests.imports.given import begun, imported, lines, listed, uploaded

DOWNLOAD = "/v1/files/*/content"


async def test_a_file_becomes_a_dataset_of_its_name(
    service: httpx.AsyncClient, person: AsyncOpenAI
) -> None:
    file = await uploaded(person, "Weather chats (2).jsonl")

    (adopted,) = (await imported(service, what=["files"]))["files"]

    dataset = (await service.get(f"/datasets/{adopted['id']}")).json()
    assert (dataset["name"], dataset["examples"]) == ("Weather-chats-2-", 12)
    assert adopted["remote"] == file


async def test_a_file_with_wrong_rows_is_told_and_read_once(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    await uploaded(person, "bad.jsonl", lines(3) + b'{"nonsense": 1}\n')
    await uploaded(person, "good.jsonl")

    first, again = [await imported(service, what=["files"]) for _ in range(2)]

    (problem,) = first["refused"]
    assert (problem["name"], problem["code"]) == ("bad.jsonl", "dataset_invalid")
    assert [fault["line"] for fault in problem["errors"]] == [4]
    assert again["refused"] == first["refused"]
    assert (len(first["files"]), again["known"]["files"]) == (1, 1)
    assert sum(seen.path.endswith("/content") for seen in simulated.requests) == 2


async def test_a_download_that_broke_is_tried_by_the_next_import(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    await uploaded(person)
    simulated.order(Reset(during="answer"), DOWNLOAD)

    first, again = [await imported(service, what=["files"]) for _ in range(2)]

    assert [one["code"] for one in first["refused"]] == ["provider_unavailable"]
    assert (len(again["files"]), again["refused"]) == (1, [])


async def test_the_same_rows_are_one_dataset(
    service: httpx.AsyncClient, person: AsyncOpenAI
) -> None:
    rows = [json.loads(line) for line in lines().splitlines()]
    ours = await service.post("/datasets", json={"name": "ours", "examples": rows})
    await uploaded(person)

    (adopted,) = (await imported(service, what=["files"]))["files"]

    assert adopted["id"] == ours.json()["id"]


async def test_a_deleted_dataset_can_be_imported_again(
    service: httpx.AsyncClient, person: AsyncOpenAI
) -> None:
    await uploaded(person)
    (adopted,) = (await imported(service, what=["files"]))["files"]
    await service.delete(f"/datasets/{adopted['id']}")

    (again,) = (await imported(service, what=["files"]))["files"]

    assert again["remote"] == adopted["remote"]
    assert (await service.get(f"/datasets/{again['id']}")).status_code == 200


async def test_a_model_without_its_job_is_ours_and_stays_one_when_the_job_comes(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    await begun(person, await uploaded(person))
    simulated.advance(9)

    (adopted,) = (await imported(service, what=["models"]))["models"]
    alone = (await service.get(f"/models/{adopted['id']}")).json()
    (job,) = (await imported(service))["jobs"]

    assert (alone["job"], alone["dataset"], alone["method"]["type"]) == (None, None, "sft")
    seen = (await service.get(f"/jobs/{job['id']}")).json()
    seen = await until(service, seen, lambda one: one["status"] == "succeeded")
    (model,) = await listed(service, "/models")
    assert (model["id"], model["job"]) == (adopted["id"], job["id"])
    assert seen["tuned_model"] == adopted["id"]


async def test_a_large_import_goes_on_where_its_limit_stopped_it(
    service: httpx.AsyncClient, person: AsyncOpenAI
) -> None:
    for number in range(3):
        await begun(person, await uploaded(person, f"part{number}.jsonl", lines(10 + number)))

    left = [(await imported(service, limit=2))["left"] for _ in range(4)]

    assert left == [4, 2, 0, 0]
    assert len(await listed(service, "/jobs")) == len(await listed(service, "/datasets")) == 3


async def test_imports_at_once_adopt_each_thing_once(
    service: httpx.AsyncClient, person: AsyncOpenAI
) -> None:
    for number in range(3):
        await begun(person, await uploaded(person, f"part{number}.jsonl", lines(10 + number)))

    done = await asyncio.gather(*(imported(service) for _ in range(4)))

    remotes = [one["remote"] for each in done for one in each["jobs"]]
    assert len(remotes) == len(set(remotes)) == 3
    assert len(await listed(service, "/jobs")) == len(await listed(service, "/datasets")) == 3


async def test_the_same_key_gets_the_first_answer_again(
    service: httpx.AsyncClient, person: AsyncOpenAI
) -> None:
    await begun(person, await uploaded(person))
    key = {"Idempotency-Key": "once"}

    first, again = [await service.post("/providers/openai/import", headers=key) for _ in range(2)]

    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


async def test_who_cannot_be_asked_is_told(
    service: httpx.AsyncClient, simulated: SimulatedOpenAI
) -> None:
    path = "/providers/openai/import"
    refused(await service.post("/providers/simulated/import"), 409, "operation_not_supported")
    refused(await service.post("/providers/none/import"), 404, "provider_not_found")
    refused(await service.post(path, json={"files": ["file-1"]}), 422, "invalid_request")
    simulated.change(expired_keys={"sk-import"})
    refused(await service.post(path), 409, "provider_not_configured")
    simulated.stop()
    refused(await service.post(path), 503, "provider_unavailable")
