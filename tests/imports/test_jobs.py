"""Jobs that somebody began at the vendor are watched like ours."""

import httpx
from openai import AsyncOpenAI

from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.api.expect import refused
from tests.api.given import until
from tests.imports.given import BASE_MODEL, Json, begun, imported, listed, uploaded


async def _ended(service: httpx.AsyncClient, adopted: Json) -> Json:
    job = (await service.get(f"/jobs/{adopted['id']}")).json()
    return await until(
        service, job, lambda seen: seen["status"] in ("succeeded", "failed", "cancelled")
    )


async def test_a_finished_job_comes_with_its_model_its_series_and_its_dataset(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    remote = await begun(person, await uploaded(person), seed=7, suffix="weather")
    simulated.advance(9)

    (adopted,) = (await imported(service))["jobs"]

    job = await _ended(service, adopted)
    assert (job["status"], job["remote"]["id"], job["seed"]) == ("succeeded", remote, 7)
    assert job["dataset"]["name"] == "doubles"
    assert await listed(service, f"/jobs/{job['id']}/metrics")
    (model,) = await listed(service, "/models")
    assert (model["id"], model["job"]) == (job["tuned_model"], job["id"])
    asked = {"messages": [{"role": "user", "content": "What is 3 doubled?"}]}
    told = await service.post(f"/models/{model['id']}/chat/completions", json=asked)
    assert told.json()["choices"][0]["message"]["content"] == "It is 6."


async def test_a_running_job_is_watched_until_its_end(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    remote = await begun(person, await uploaded(person))
    simulated.advance(3)
    (adopted,) = (await imported(service, what=["jobs"]))["jobs"]
    job = (await service.get(f"/jobs/{adopted['id']}")).json()
    assert (adopted["remote"], job["status"], job["dataset"]) == (remote, "running", None)

    simulated.advance(9)

    assert (await _ended(service, adopted))["tuned_model"]
    (model,) = await listed(service, "/models")
    assert model["dataset"] is None


async def test_a_failed_job_tells_its_reason_and_is_not_repeated(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    simulated.fail(await begun(person, await uploaded(person)))

    (adopted,) = (await imported(service, what=["jobs"]))["jobs"]

    job = await _ended(service, adopted)
    assert (job["status"], job["error"]["message"]) == ("failed", "It failed.")
    again = await service.post(f"/jobs/{job['id']}/retry")
    refused(again, 409, "operation_not_supported")


async def test_a_job_whose_model_was_deleted_has_succeeded_all_the_same(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    remote = await begun(person, await uploaded(person))
    simulated.advance(9)
    tuned = (await person.fine_tuning.jobs.retrieve(remote)).fine_tuned_model
    await person.models.delete(tuned or "")

    (adopted,) = (await imported(service, what=["jobs"]))["jobs"]

    job = await _ended(service, adopted)
    assert (job["status"], job["tuned_model"]) == ("succeeded", None)
    assert "deleted" in job["status_detail"]


async def test_nothing_is_imported_twice(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    await begun(person, await uploaded(person))
    simulated.advance(9)
    first = await imported(service)
    await _ended(service, first["jobs"][0])

    again = await imported(service)

    assert (again["jobs"], again["files"], again["models"]) == ([], [], [])
    assert again["known"] == {"jobs": 1, "files": 1, "models": 1}
    assert len(await listed(service, "/jobs")) == len(await listed(service, "/models")) == 1


async def test_our_own_jobs_are_known(
    service: httpx.AsyncClient, person: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    await imported(service, what=["files"], since="2020-01-01T00:00:00Z")
    file = await uploaded(person)
    (adopted,) = (await imported(service, what=["files"]))["files"]
    order = {"provider": "openai", "base_model": BASE_MODEL, "dataset": adopted["id"]}
    created = (await service.post("/jobs", json=order)).json()
    await until(service, created, lambda seen: seen["remote"] is not None)

    done = await imported(service)

    assert adopted["remote"] == file
    assert (done["jobs"], done["known"]["jobs"]) == ([], 1)


async def test_a_job_that_carries_a_key_of_a_lost_database_is_adopted(
    service: httpx.AsyncClient, person: AsyncOpenAI
) -> None:
    lost = {"luthier_key": "job-00000000000000000000000000-1"}
    remote = await begun(person, await uploaded(person), metadata=lost)

    done = await imported(service, what=["jobs"])

    assert [one["remote"] for one in done["jobs"]] == [remote]
