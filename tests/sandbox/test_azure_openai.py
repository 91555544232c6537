"""Azure OpenAI: its two surfaces, and deployments, by plain HTTP and by OpenAI's SDK."""

import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, BadRequestError, DefaultAsyncHttpxClient

from app.sandbox.azure_openai.conditions import AzureConditions
from app.sandbox.azure_openai.contract import AzureContract
from app.sandbox.azure_openai.simulator import SimulatedAzureOpenAI
from app.sandbox.frame.conditions import Pace
from tests.contracts import CONTRACTS
from tests.sandbox import given

V1 = "/openai/v1"
DATED = "/openai"
VERSION = {"api-version": "2024-10-21"}
DEPLOYMENT = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices"
    "/accounts/house/deployments/tuned"
)
DAY_SECONDS = 86_400


@pytest.fixture(scope="session")
def azure_contract() -> AzureContract | None:
    """Azure's documents, where they lie beside the repository."""
    return AzureContract(CONTRACTS) if CONTRACTS.exists() else None


@pytest.fixture
def azure(azure_contract: AzureContract | None) -> Generator[SimulatedAzureOpenAI]:
    """Azure OpenAI with nothing in it; what breaks its contract fails the test."""
    conditions = AzureConditions(pace=Pace(by="order"))
    with SimulatedAzureOpenAI(contract=azure_contract, conditions=conditions) as simulated:
        yield simulated
    assert [violation.message for violation in simulated.violations] == []


@pytest.fixture
async def wire(azure: SimulatedAzureOpenAI) -> AsyncGenerator[httpx.AsyncClient]:
    """Plain HTTP with a key, and with a token for Resource Manager."""
    headers = {"api-key": "key", "authorization": "Bearer token"}
    async with httpx.AsyncClient(
        base_url=azure.url, headers=headers, trust_env=False, timeout=60
    ) as client:
        yield client


@pytest.fixture
async def v1(azure: SimulatedAzureOpenAI) -> AsyncGenerator[AsyncOpenAI]:
    """OpenAI's SDK before the v1 surface."""
    async with AsyncOpenAI(
        base_url=f"{azure.url}{V1}/",
        api_key="key",
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(trust_env=False),
    ) as client:
        yield client


@pytest.fixture
async def dated(azure: SimulatedAzureOpenAI) -> AsyncGenerator[AsyncAzureOpenAI]:
    """The SDK's Azure client before the dated surface."""
    async with AsyncAzureOpenAI(
        azure_endpoint=azure.url,
        api_version="2024-10-21",
        api_key="key",
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(trust_env=False),
    ) as client:
        yield client


@pytest.fixture(params=["v1", "dated"])
def client(request: pytest.FixtureRequest, v1: AsyncOpenAI, dated: AsyncAzureOpenAI) -> AsyncOpenAI:
    """Each surface in turn."""
    return v1 if request.param == "v1" else dated


async def _put(wire: httpx.AsyncClient, model: str, sku: str = "Standard") -> httpx.Response:
    served = {"format": "OpenAI", "name": model, "version": "1"}
    body = {"sku": {"name": sku, "capacity": 1}, "properties": {"model": served}}
    return await wire.put(DEPLOYMENT, params={"api-version": "2024-10-01"}, json=body)


async def _state(wire: httpx.AsyncClient) -> str:
    answer = await wire.get(DEPLOYMENT, params={"api-version": "2024-10-01"})
    if answer.is_client_error:
        return answer.json()["error"]["code"]
    return answer.json()["properties"]["provisioningState"]


async def test_the_v1_surface_words_a_job_in_its_own_way(
    azure: SimulatedAzureOpenAI, v1: AsyncOpenAI
) -> None:
    job = await given.a_job(v1, suffix="weather", extra_body={"trainingType": "GlobalStandard"})
    azure.advance(9)
    done = await v1.fine_tuning.jobs.retrieve(job.id)
    checkpoints = await v1.fine_tuning.jobs.checkpoints.list(job.id)

    assert (job.status, done.status) == ("pending", "succeeded")
    assert done.to_dict()["user_provided_suffix"] == "weather"
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith(f"{given.BASE}.ft-")
    assert checkpoints.data[-1].fine_tuned_model_checkpoint.startswith("ftchkpt-")


async def test_the_v1_surface_has_no_filter_and_deletes_no_models(
    azure: SimulatedAzureOpenAI, v1: AsyncOpenAI, wire: httpx.AsyncClient
) -> None:
    with pytest.raises(BadRequestError):
        await v1.fine_tuning.jobs.list(metadata={"run": "7"})
    gone = await wire.delete(f"{V1}/models/{given.BASE}")

    assert gone.status_code in (404, 405)
    assert azure.violations
    azure.violations.clear()


async def test_the_dated_surface_answers_in_its_own_shapes(
    azure: SimulatedAzureOpenAI, wire: httpx.AsyncClient
) -> None:
    form: dict[str, Any] = {"data": {"purpose": "fine-tune"}}
    form["files"] = {"file": ("train.jsonl", given.supervised())}
    file = await wire.post(f"{DATED}/files", params=VERSION, **form)
    body = {
        "model": given.BASE,
        "training_file": file.json()["id"],
        "hyperparameters": {"n_epochs": 2},
        "suffix": "weather",
    }
    job = await wire.post(f"{DATED}/fine_tuning/jobs", params=VERSION, json=body)
    path = f"{DATED}/fine_tuning/jobs/{job.json()['id']}"
    azure.advance()
    queued = await wire.get(path, params=VERSION)
    azure.advance(9)
    done = await wire.get(path, params=VERSION)
    gone = await wire.delete(path, params=VERSION)

    assert (file.status_code, job.status_code, gone.status_code) == (201, 201, 204)
    assert [job.json()["status"], queued.json()["status"]] == ["created", "pending"]
    assert (done.json()["status"], done.json()["suffix"]) == ("succeeded", "weather")
    assert "organisation_id" in done.json()
    assert "method" not in done.json()


@pytest.mark.parametrize(
    "field", [{"method": {"type": "dpo"}}, {"metadata": {"run": "7"}}, {"trainingType": "x"}]
)
async def test_the_dated_surface_knows_no_newer_fields(
    azure: SimulatedAzureOpenAI, dated: AsyncAzureOpenAI, field: dict[str, Any]
) -> None:
    with pytest.raises(BadRequestError):
        await given.a_job(dated, extra_body=field)

    assert azure.jobs == []
    azure.violations.clear()


async def test_a_suffix_is_short_and_plain(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError) as refused:
        await given.a_job(client, suffix="no spaces")

    assert refused.value.code == "invalidPayload"


async def test_a_model_answers_only_where_it_is_deployed(
    azure: SimulatedAzureOpenAI, client: AsyncOpenAI, wire: httpx.AsyncClient
) -> None:
    job = await given.a_job(client)
    azure.advance(9)
    model = (await client.fine_tuning.jobs.retrieve(job.id)).fine_tuned_model
    assert model is not None
    azure.change(deployment_looks=1)

    made = await _put(wire, model)
    early = await wire.post(
        f"{V1}/chat/completions", json={"model": "tuned", "messages": given.prompt(3)}
    )
    states = [await _state(wire)]
    told = await client.chat.completions.create(model="tuned", messages=given.prompt(3))
    stream = await client.chat.completions.create(
        model="tuned", messages=given.prompt(3), stream=True
    )
    chunks = [chunk async for chunk in stream]

    assert (made.status_code, early.status_code) == (201, 404)
    assert early.json()["error"]["code"] == "DeploymentNotFound"
    assert states == ["Succeeded"]
    assert told.choices[0].message.content == "It is 6."
    assert chunks[0].choices == []


async def test_a_deployment_is_put_once_and_deleted_slowly(
    azure: SimulatedAzureOpenAI, wire: httpx.AsyncClient
) -> None:
    azure.change(deployment_looks=1)
    made = [(await _put(wire, given.BASE)).status_code for _ in range(2)]
    states = [await _state(wire)]

    gone = await wire.delete(DEPLOYMENT, params={"api-version": "2024-10-01"})
    busy = await _put(wire, given.BASE)
    states += [await _state(wire), await _state(wire)]
    again = await wire.delete(DEPLOYMENT, params={"api-version": "2024-10-01"})

    assert (made, gone.status_code, busy.status_code) == ([201, 200], 202, 409)
    assert states == ["Succeeded", "Deleting", "ResourceNotFound"]
    assert again.status_code == httpx.codes.NO_CONTENT


@pytest.mark.parametrize(("sku", "days"), [("Standard", 15), ("DeveloperTier", 1)])
async def test_a_deployment_that_nobody_asks_is_removed(
    azure: SimulatedAzureOpenAI, wire: httpx.AsyncClient, sku: str, days: int
) -> None:
    await _put(wire, given.BASE, sku)

    azure.pass_time(days * DAY_SECONDS - 60)
    before = list(azure.deployments)
    azure.pass_time(120)

    assert (before, list(azure.deployments)) == (["tuned"], [])


async def test_what_is_asked_stays(azure: SimulatedAzureOpenAI, wire: httpx.AsyncClient) -> None:
    await _put(wire, given.BASE)
    azure.pass_time(14 * DAY_SECONDS)
    await wire.post(f"{V1}/chat/completions", json={"model": "tuned", "messages": given.prompt(3)})

    azure.pass_time(14 * DAY_SECONDS)

    assert list(azure.deployments) == ["tuned"]


@pytest.mark.parametrize("headers", [{}, {"api-key": "old"}, {"authorization": "Bearer old"}])
async def test_nobody_comes_in_without_a_good_key(
    azure: SimulatedAzureOpenAI, headers: dict[str, str]
) -> None:
    azure.change(expired_keys={"old"})
    async with httpx.AsyncClient(
        base_url=azure.url, headers=headers, trust_env=False, timeout=60
    ) as client:
        answer = await client.get(f"{V1}/fine_tuning/jobs")

    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert "apim-request-id" in answer.headers


async def test_resource_manager_takes_no_keys(azure: SimulatedAzureOpenAI) -> None:
    headers = {"api-key": "key"}
    async with httpx.AsyncClient(
        base_url=azure.url, headers=headers, trust_env=False, timeout=60
    ) as client:
        answer = await client.get(DEPLOYMENT, params={"api-version": "2024-10-01"})

    assert answer.status_code == httpx.codes.UNAUTHORIZED


async def test_an_unknown_model_is_not_deployed(wire: httpx.AsyncClient) -> None:
    refused = await _put(wire, "gpt-9")

    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert refused.json()["error"]["code"] == "InvalidResourceProperties"


def test_the_command_serves_until_it_is_told_to_end() -> None:
    command = [sys.executable, "-m", "app", "sandbox", "azure-openai", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = re.findall(r"http://\S+", process.stdout.readline())[0]

        answer = httpx.get(
            f"{url}{V1}/models", headers={"api-key": "any"}, trust_env=False, timeout=60
        )
        process.send_signal(signal.SIGTERM)

    assert answer.status_code == 200
    assert process.returncode == 0
