"""Every operation in every status, through the whole service: what is legal comes true."""

from collections.abc import AsyncGenerator, Mapping

import pytest

from app.domain.provider import Operation
from tests.api.expect import refused
from tests.api.given import Json
from tests.conformance.service import Life, Service, key_of, remote_of
from tests.conformance.stage import Stage

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)

OVER: Mapping[str, str] = dict.fromkeys(("cancel", "pause", "resume"), "job_finished")


@pytest.fixture
async def life(service: Service) -> AsyncGenerator[Life]:
    """The service at rest, whose chores a test ticks."""
    async with service.life() as life:
        yield life


async def test_a_queued_job_can_be_cancelled_and_nothing_is_created(
    life: Life, stage: Stage
) -> None:
    job = await life.create()
    await _illegal(life, job, {"retry": "job_not_finished"})

    await _legal(life, job, "cancel")

    assert (await life.tick(job))["status"] == "cancelled"
    assert stage.creations(key_of(job)) == 0


async def test_a_running_job_can_be_cancelled_and_tried_again(life: Life, stage: Stage) -> None:
    job = await life.tick(await life.create())
    await _illegal(life, job, {"retry": "job_not_finished"})
    stage.begin(remote_of(job))

    await _legal(life, job, "cancel")
    job = await life.tick(job)
    stage.finish(remote_of(job))
    job = await life.tick(job)

    assert job["status"] == "cancelled"
    await _illegal(life, job, OVER)
    await _legal(life, job, "retry")
    assert (await life.tick(job))["status"] == "running"
    assert [stage.creations(key_of(job, attempt)) for attempt in (1, 2)] == [1, 1]


async def test_a_job_pauses_and_goes_on_where_that_is_offered(life: Life, stage: Stage) -> None:
    job = await life.tick(await life.create())
    if not _offers(life, "pause"):
        await _illegal(life, job, {})
        return
    stage.begin(remote_of(job))

    await _legal(life, job, "pause")
    paused = await life.tick(job)
    await _illegal(life, paused, {"retry": "job_not_finished"})
    await _legal(life, job, "resume")

    assert paused["status"] == "paused"
    assert (await life.tick(job))["status"] == "running"


async def test_a_failed_job_can_be_tried_again(life: Life, stage: Stage) -> None:
    job = await life.tick(await life.create())
    stage.fail(remote_of(job))
    job = await life.tick(job)
    assert (job["status"], job["tuned_model"]) == ("failed", None)
    assert "It failed." in job["error"]["message"]
    await _illegal(life, job, OVER)

    await _legal(life, job, "retry")

    assert (await life.tick(job))["status"] == "running"
    assert [stage.creations(key_of(job, attempt)) for attempt in (1, 2)] == [1, 1]


async def test_a_wish_that_comes_too_late_is_overtaken_by_the_end(life: Life, stage: Stage) -> None:
    job = await life.tick(await life.create())
    stage.finish(remote_of(job))

    await _legal(life, job, "cancel")
    job = await life.tick(job)

    assert job["status"] == "succeeded"
    await _illegal(life, job, {**OVER, "retry": "job_finished"})
    gone = await life.client.delete(f"/models/{job['tuned_model']}")
    assert gone.is_success, gone.text
    refused(await life.client.get(f"/models/{job['tuned_model']}"), 404, "model_not_found")


async def _legal(life: Life, job: Json, operation: str) -> None:
    answer = await life.client.post(f"/jobs/{job['id']}/{operation}")
    assert answer.is_success, (operation, answer.text)


async def _illegal(life: Life, job: Json, codes: Mapping[str, str]) -> None:
    """These are refused by their codes, with what is not offered; nothing changes by it."""
    is_over = job["finished_at"] is not None
    unoffered = [one for one in ("cancel", "pause", "resume") if not _offers(life, one)]
    missing = {} if is_over else dict.fromkeys(unoffered, "operation_not_supported")
    before = await life.now(job)
    for operation, code in {**codes, **missing}.items():
        refused(await life.client.post(f"/jobs/{job['id']}/{operation}"), 409, code)
    if not _offers(life, "logs"):
        logs = await life.client.get(f"/jobs/{job['id']}/logs")
        refused(logs, 409, "operation_not_supported")
    assert await life.now(job) == before


def _offers(life: Life, operation: str) -> bool:
    return Operation(operation) in life.stage.provider.spec.operations
