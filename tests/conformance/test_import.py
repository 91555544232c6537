"""What somebody tuned at a vendor becomes ours, each thing once; who cannot tell says so."""

import httpx
import pytest

from app.domain.provider import Operation
from tests.api.expect import refused
from tests.api.given import Json
from tests.conformance.service import Life, Service, remote_of
from tests.conformance.stage import EXAMPLES, Stage, VendorStage, answer, question
from tests.conformance.steps import WITHOUT_ANSWERS, left_by, serve

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)


class TestWhoCanTell:
    """Vendors that list what they have."""

    @pytest.fixture
    def stage(self, vendor_stage: VendorStage) -> VendorStage:
        """Each of them in turn."""
        if Operation.IMPORT not in vendor_stage.provider.spec.operations:
            pytest.skip("it offers no import")
        return vendor_stage

    async def test_a_job_its_file_and_its_model_are_adopted_once(
        self, service: Service, stage: VendorStage
    ) -> None:
        remote = await stage.tune_by_hand()
        stage.begin(remote)
        async with service.life() as life:
            first = await _imported(life)
            assert (await _imported(life))["known"] == {"jobs": 1, "files": 1, "models": 0}
        (adopted,), (file,) = first["jobs"], first["files"]
        assert (adopted["remote"], first["refused"]) == (remote.id, [])
        stage.finish(remote)

        async with service.life() as life:
            job = await life.tick(adopted)
            again = await _imported(life)
            await _is_ours(life, job, file=file["id"])

        assert again["known"] == {"jobs": 1, "files": 1, "models": 1}
        assert not again["jobs"] + again["files"] + again["models"] + again["refused"]

    async def test_what_is_ours_is_only_counted(self, service: Service, stage: VendorStage) -> None:
        async with service.life() as life:
            job = await life.tick(await life.create())
            running = await _imported(life, what=["jobs", "models"])
            stage.finish(remote_of(job))
            ended = await _imported(life, what=["jobs", "models"])
            await life.tick(job)
            known = await _imported(life, what=["jobs", "models"])

        assert not running["jobs"] + ended["jobs"] + ended["models"] + known["models"]
        assert known["known"] == {"jobs": 1, "files": 0, "models": 1}

    async def test_a_model_can_be_adopted_without_its_job(
        self, service: Service, stage: VendorStage
    ) -> None:
        remote = await stage.tune_by_hand()
        stage.finish(remote)

        async with service.life() as life:
            (adopted,) = (await _imported(life, what=["models"]))["models"]

            assert (await _imported(life, what=["models"]))["models"] == []
            await serve(stage, (await left_by(stage, remote)).handle)
            await _answers(life, adopted["id"])


async def test_who_cannot_tell_says_so(service: Service, stage: Stage) -> None:
    if Operation.IMPORT in stage.provider.spec.operations:
        pytest.skip("it offers the import")
    async with service.life() as life:
        refused(await _asked(life), 409, "operation_not_supported")


async def _is_ours(life: Life, job: Json, *, file: str) -> None:
    """It ended well, knows the dataset that it was trained on, and its model answers."""
    assert (job["status"], job["dataset"]["id"]) == ("succeeded", file), job
    dataset = (await life.client.get(f"/datasets/{file}")).json()
    assert (dataset["name"], dataset["examples"]) == ("doubles", EXAMPLES)
    assert job["base_model"].endswith(life.stage.base_model)
    await serve(life.stage, (await left_by(life.stage, remote_of(job))).handle)
    await _answers(life, job["tuned_model"])


async def _answers(life: Life, model: str) -> None:
    asked = {"messages": [question(3)]}
    told = await life.client.post(f"/models/{model}/chat/completions", json=asked)
    if life.name in WITHOUT_ANSWERS:
        assert told.json()["code"] == "model_unavailable"
    else:
        assert told.json()["choices"][0]["message"]["content"] == answer(3)


async def _imported(life: Life, **body: object) -> Json:
    answer = await _asked(life, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _asked(life: Life, **body: object) -> httpx.Response:
    return await life.client.post(f"/providers/{life.name}/import", json=body)
