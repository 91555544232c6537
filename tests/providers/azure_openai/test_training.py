"""Trainings at Azure OpenAI: what is sent, on both surfaces, and how it is found again."""

from pathlib import Path

import httpx
import msgspec
import pytest

from app.domain.errors import ModelUnavailable, Never, YourTurn
from app.domain.jobs import Method
from app.domain.provider import Operation, RemoteState
from app.providers.azure_openai.provider import AzureOpenAIProvider
from app.sandbox.frame.faults import Failure, Reset
from tests.conformance.azure_openai_stage import JOBS, KEY, AzureOpenAIStage, azure_openai_stage
from tests.conformance.stage import Lines, plan
from tests.providers.azure_openai import given


def _preferences() -> Lines:
    example = {
        "prompt": [{"role": "user", "content": "Hi"}],
        "chosen": [{"role": "assistant", "content": "Hello!"}],
        "rejected": [{"role": "assistant", "content": "What?"}],
    }
    return Lines([msgspec.json.encode(example)] * 12)


async def test_a_create_carries_key_name_and_training_type(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    await provider.submit(plan(stage, name="Wetter für Köln!"))

    body = given.created(stage)
    assert body["metadata"] == {"luthier_key": "job-1-1"}
    assert body["suffix"] == "Wetter-f-r-K-ln"
    assert body["trainingType"] == "Standard"
    assert body["method"]["supervised"]["hyperparameters"] == {"n_epochs": 2}


async def test_the_dated_api_gets_numbers_and_the_key_as_suffix(dated: AzureOpenAIStage) -> None:
    method = Method("sft", {"epochs": 2, "batch_size": "auto"})

    await dated.provider.submit(plan(dated, method=method))

    body = given.created(dated)
    assert body["hyperparameters"] == {"n_epochs": 2}
    assert body["suffix"] == "lt-job-1-1"
    assert not {"method", "metadata", "trainingType"} & set(body)


async def test_files_begin_with_a_byte_order_mark(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    await provider.submit(plan(stage))

    (job,) = stage.simulated.jobs
    async with httpx.AsyncClient(base_url=stage.simulated.url, timeout=60) as wire:
        path = f"/openai/v1/files/{job.training_file}/content"
        content = (await wire.get(path, headers={"api-key": KEY})).content
    assert content.startswith(b"\xef\xbb\xbf{")


async def test_preferences_go_all_the_way(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    method = Method("dpo", {"beta": 0.2})
    remote = await provider.submit(plan(stage, method=method, training=_preferences()))
    stage.finish(remote)

    assert (await provider.observe(remote, None)).state is RemoteState.SUCCEEDED


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_a_job_pauses_and_goes_on(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider, verb: str
) -> None:
    stage.simulated.change(pauses_slowly=True)
    remote = await provider.submit(plan(stage))
    stage.begin(remote)

    await provider.pause(remote)
    states = [(await provider.observe(remote, None)).state]
    stage.simulated.advance()
    states.append((await provider.observe(remote, None)).state)
    if verb == "resume":
        await provider.resume(remote)
        states.append((await provider.observe(remote, None)).state)

    assert states[:2] == [RemoteState.PAUSING, RemoteState.PAUSED]
    assert states[2:] == ([RemoteState.RUNNING] if verb == "resume" else [])


def test_the_dated_api_offers_less(stage: AzureOpenAIStage, dated: AzureOpenAIStage) -> None:
    assert set(stage.provider.spec.methods) == {"sft", "dpo", "rft"}
    assert set(dated.provider.spec.methods) == {"sft"}
    assert not {Operation.PAUSE, Operation.RESUME} & dated.provider.spec.operations


async def test_entra_signs_in_instead_of_a_key(tmp_path: Path) -> None:
    async with azure_openai_stage(tmp_path, credential="default", api_key=None) as stage:
        await stage.provider.submit(plan(stage))
        await stage.provider.submit(plan(stage, "job-2-1"))

        assert stage.signed.scopes == ["https://cognitiveservices.azure.com/.default"]


async def test_entra_signs_in_to_the_dated_api(tmp_path: Path) -> None:
    options = {"credential": "cli", "api_key": None, "api_version": "2024-10-21"}
    async with azure_openai_stage(tmp_path, **options) as stage:
        assert await stage.provider.find("job-1-1") is None


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Failure(status=400, code="invalidPayload", message="No such model."), Never),
        (Failure(status=403, message="Access denied due to Firewall rules."), YourTurn),
        (Failure(status=403, message="Principal lacks it.", code="PermissionDenied"), YourTurn),
        (Failure(status=429, code="quotaExceeded", message="Too many jobs."), YourTurn),
    ],
)
async def test_a_refused_create_is_said_in_azures_words(
    stage: AzureOpenAIStage,
    provider: AzureOpenAIProvider,
    fault: Failure,
    word: type[Exception],
) -> None:
    stage.simulated.order(fault, JOBS, method="POST")

    with pytest.raises(word, match=fault.message.rstrip(".")):
        await provider.submit(plan(stage))


@pytest.mark.parametrize("surface", ["v1", "dated"])
async def test_what_made_a_model_goes_with_it(
    surface: str, stage: AzureOpenAIStage, dated: AzureOpenAIStage
) -> None:
    used = {"v1": stage, "dated": dated}[surface]
    tuned = await given.a_tuned_model(used)

    await used.provider.delete(tuned.handle)

    deleted = [seen.path for seen in used.simulated.requests if seen.method == "DELETE"]
    assert sum("/files/" in path for path in deleted) == 2
    assert any("/fine_tuning/jobs/" in path for path in deleted) is (surface == "dated")


@pytest.mark.parametrize(
    "fault", [Failure(status=403), Failure(status=500), Reset(during="effect")]
)
async def test_what_cannot_be_undeployed_stays(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider, fault: Failure | Reset
) -> None:
    tuned = await given.a_tuned_model(stage)
    stage.simulated.order(fault, "/subscriptions/*", method="DELETE")

    with pytest.raises(ModelUnavailable):
        await provider.delete(tuned.handle)

    assert not any("/files/" in s.path for s in stage.simulated.requests if s.method == "DELETE")


async def test_what_is_there_already_is_told(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    tuned = await given.a_tuned_model(stage)

    seen = await provider.inventory(0)

    (job,) = seen.jobs
    assert (job.key, job.name, job.artifact) == ("job-1-1", "weather", tuned.handle)
    assert [(model.artifact, model.base_model) for model in seen.models] == [
        (tuned.handle, stage.base_model)
    ]
    content = b"".join([piece async for piece in provider.file_content(seen.files[0].id)])
    assert content.count(b"\n") == 12
