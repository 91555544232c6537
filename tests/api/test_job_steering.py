"""Steering jobs: cancel, pause, resume, retry, and continuing from a tuned model."""

from pathlib import Path

import httpx
import pytest

from app import bootstrap
from app.bootstrap import House
from tests.api.expect import refused
from tests.api.given import Json, dataset, ended, job, rows, until
from tests.api.vendors import PatientVendor
from tests.serving import api


@pytest.fixture
def vendor(tmp_path: Path) -> PatientVendor:
    """A vendor whose trainings go on until the test ends them."""
    return PatientVendor(tmp_path / "vendor")


@pytest.fixture
async def running(client: httpx.AsyncClient) -> Json:
    """A job that trains."""
    await dataset(client)
    return await until(client, await job(client), lambda seen: seen["status"] == "running")


async def ask(client: httpx.AsyncClient, job: Json, verb: str) -> Json:
    """The job after a wish that was accepted."""
    answer = await client.post(f"/jobs/{job['id']}/{verb}")
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_running_job_is_cancelled(
    client: httpx.AsyncClient, running: Json, vendor: PatientVendor
) -> None:
    wished = await ask(client, running, "cancel")
    assert (wished["status"], wished["desired"]) == ("cancelling", "cancel")
    done = await ended(client, running)
    assert (done["status"], done["tuned_model"], done["error"]) == ("cancelled", None, None)
    assert [training["status"] for training in vendor.created()] == ["cancelled"]


async def test_a_job_cancelled_before_its_submission_never_reaches_the_vendor(
    house: House, vendor: PatientVendor
) -> None:
    async with api(house, reconcile=False) as client:
        await dataset(client)
        queued = await job(client)
        assert (await ask(client, queued, "cancel"))["status"] == "queued"
        refused(await client.post(f"/jobs/{queued['id']}/pause"), 409, "job_finished")
    at_work = bootstrap.build(house.settings, providers=house.providers)
    async with api(at_work, reconcile=True) as client:
        assert (await ended(client, queued))["status"] == "cancelled"
    assert vendor.created() == []


async def test_asking_twice_changes_nothing(client: httpx.AsyncClient, running: Json) -> None:
    await ask(client, running, "pause")
    paused = await until(client, running, lambda seen: seen["status"] == "paused")
    again = await ask(client, running, "pause")
    assert again["revision"] == paused["revision"]


async def test_a_paused_job_resumes_and_succeeds(
    client: httpx.AsyncClient, running: Json, vendor: PatientVendor
) -> None:
    await ask(client, running, "pause")
    await until(client, running, lambda seen: seen["status"] == "paused")
    resumed = await ask(client, running, "resume")
    await until(client, resumed, lambda seen: seen["status"] == "running")
    vendor.finish()
    done = await ended(client, running)
    assert (done["status"], done["desired"], len(vendor.created())) == ("succeeded", "run", 1)
    assert done["progress"]["percent"] == 100


async def test_a_paused_job_can_be_cancelled(client: httpx.AsyncClient, running: Json) -> None:
    await ask(client, running, "pause")
    await until(client, running, lambda seen: seen["status"] == "paused")
    await ask(client, running, "cancel")
    assert (await ended(client, running))["status"] == "cancelled"


async def test_a_job_at_its_end_takes_no_wish(
    client: httpx.AsyncClient, running: Json, vendor: PatientVendor
) -> None:
    vendor.finish()
    await ended(client, running)
    for verb in ("cancel", "pause", "resume", "retry"):
        refused(await client.post(f"/jobs/{running['id']}/{verb}"), 409, "job_finished")


async def test_a_cancelled_job_takes_no_wish_but_a_retry(
    client: httpx.AsyncClient, running: Json, vendor: PatientVendor
) -> None:
    await ask(client, running, "cancel")
    await ended(client, running)
    for verb in ("cancel", "pause", "resume"):
        refused(await client.post(f"/jobs/{running['id']}/{verb}"), 409, "job_finished")
    again = await ask(client, running, "retry")
    assert (again["status"], again["desired"]) == ("queued", "run")
    await until(client, again, lambda seen: seen["status"] == "running")
    assert len(vendor.created()) == 2


async def test_a_running_job_is_not_retried(client: httpx.AsyncClient, running: Json) -> None:
    refused(await client.post(f"/jobs/{running['id']}/retry"), 409, "job_not_finished")


async def test_a_retry_is_a_second_attempt_of_the_same_job(
    client: httpx.AsyncClient, vendor: PatientVendor
) -> None:
    await dataset(client)
    vendor.order("submit", "refuse")
    failed = await ended(client, await job(client))
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "refused"
    assert failed["error"]["hint"] == "Ask for something else."
    queued = await ask(client, failed, "retry")
    assert (queued["id"], queued["error"], queued["finished_at"]) == (failed["id"], None, None)
    await until(client, queued, lambda seen: seen["status"] == "running")
    vendor.finish()
    first, second = (await ended(client, queued))["attempts"]
    assert (first["number"], first["status"], first["error"]["code"]) == (1, "failed", "refused")
    assert (second["number"], second["status"], second["error"]) == (2, "succeeded", None)
    assert [training["key"][-2:] for training in vendor.created()] == ["-2"]


async def test_the_vendors_failure_is_told(
    client: httpx.AsyncClient, running: Json, vendor: PatientVendor
) -> None:
    vendor.fail()
    failed = await ended(client, running)
    assert failed["error"] == {"code": "vendor_failed", "message": "It failed.", "hint": None}


async def test_a_validation_split_is_set_aside(
    client: httpx.AsyncClient, vendor: PatientVendor
) -> None:
    await dataset(client, "echo", rows(40))
    begun = await job(client, validation_split=0.25)
    await until(client, begun, lambda seen: seen["status"] == "running")
    [training] = vendor.created()
    assert (training["examples"], training["validation"]) == (30, 10)


async def test_a_validation_dataset_is_sent_beside(
    client: httpx.AsyncClient, vendor: PatientVendor
) -> None:
    await dataset(client)
    await dataset(client, "held-out", rows(5))
    begun = await job(client, validation_dataset="held-out")
    await until(client, begun, lambda seen: seen["status"] == "running")
    [training] = vendor.created()
    assert (training["examples"], training["validation"]) == (12, 5)


async def test_a_tuned_model_is_tuned_further(
    client: httpx.AsyncClient, running: Json, vendor: PatientVendor
) -> None:
    vendor.finish()
    parent = (await ended(client, running))["tuned_model"]
    begun = await job(client, base_model=parent)
    assert (begun["base_model"], begun["parent_model"]) == ("sim-base", parent)
    await until(client, begun, lambda seen: seen["status"] == "running")
    refused(await client.delete(f"/models/{parent}"), 409, "model_in_use")
    assert vendor.created()[-1]["parent"] == f"tuned-{vendor.created()[0]['id']}"
    vendor.finish()
    child = (await ended(client, begun))["tuned_model"]
    assert (await client.get(f"/models/{child}")).json()["parent_model"] == parent
