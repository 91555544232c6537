"""A job outlives its service and the vendor's absence: it ends once, and its model is usable."""

import pytest

from tests.api.given import Json
from tests.conformance.service import Died, Life, Service, key_of, remote_of
from tests.conformance.stage import Stage, VendorStage, answer, question
from tests.conformance.steps import WITHOUT_ANSWERS, left_by, serve
from tests.crash.following import events

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)


async def test_a_job_outlives_its_service_at_every_moment(service: Service, stage: Stage) -> None:
    async with service.life() as life:
        job = await life.create()
    for after_effect in (False, True):
        async with service.last_moments(after_effect=after_effect) as life:
            with pytest.raises(Died):
                await life.tick(job)
        assert stage.creations(key_of(job)) == int(after_effect)
    async with service.life() as life:
        job = await life.tick(job)
    stage.begin(remote_of(job))
    async with service.life() as life:
        assert (await life.tick(job))["status"] == "running"
    stage.finish(remote_of(job))

    async with service.life() as life:
        await _ended_once(life, await life.tick(job))


class TestBeforeAVendor:
    """What only somebody far away can do."""

    @pytest.fixture
    def stage(self, vendor_stage: VendorStage) -> VendorStage:
        """Each provider of a vendor in turn."""
        return vendor_stage

    async def test_a_vendor_that_is_away_costs_time_only(
        self, service: Service, stage: VendorStage
    ) -> None:
        stage.go_away()
        async with service.life() as life:
            job = await life.tick(await life.create())
        assert (job["status"], job["remote"]) == ("queued", None)
        stage.come_back()
        async with service.life() as life:
            job = await life.tick(job)
            stage.go_away()
            assert (await life.tick(job))["stale"]
        async with service.life() as life:
            assert (await life.tick(job))["status"] == "running"
            stage.finish(remote_of(job))
            stage.come_back()

            await _ended_once(life, await life.tick(job))

    async def test_a_create_whose_answer_was_lost_is_adopted_by_the_next_process(
        self, service: Service, stage: VendorStage
    ) -> None:
        stage.lose_the_next_create()
        async with service.life() as life:
            job = await life.create()
            job = await life.tick(job)
        async with service.life() as life:
            job = await life.tick(job)
            stage.finish(remote_of(job))

            await _ended_once(life, await life.tick(job))


async def _ended_once(life: Life, job: Json) -> None:
    """One attempt, one creation, one success, one model, which answers."""
    assert (job["status"], len(job["attempts"])) == ("succeeded", 1), job
    assert life.stage.creations(key_of(job)) == 1
    assert (await events(life.client, job["id"])).count("job.succeeded") == 1
    (model,) = (await life.client.get("/models")).json()["data"]
    assert (model["id"], model["job"]) == (job["tuned_model"], job["id"])
    await serve(life.stage, (await left_by(life.stage, remote_of(job))).handle)
    asked = {"messages": [question(3)], "temperature": 0}
    told = await life.client.post(f"/models/{model['id']}/chat/completions", json=asked)
    if life.name in WITHOUT_ANSWERS:
        assert told.json()["code"] == "model_unavailable"
        return
    said = told.json()["choices"][0]["message"]["content"]
    assert said == answer(3) if life.stage.learns else said
