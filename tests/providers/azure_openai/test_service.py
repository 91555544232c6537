"""The whole service before Azure OpenAI: one job is paid, and nothing is deployed by itself."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app import bootstrap
from app.domain.provider import Connection
from app.providers.azure_openai import AzureOpenAIOptions, spec_of
from app.providers.azure_openai.provider import AzureOpenAIProvider
from app.sandbox.azure_openai.conditions import AzureConditions
from app.sandbox.azure_openai.simulator import SimulatedAzureOpenAI
from app.sandbox.frame.faults import Hang, Reset
from app.settings import Settings
from tests.api.expect import refused
from tests.api.given import dataset, ended, job
from tests.conformance.azure_openai_stage import JOBS, KEY
from tests.serving import api

FAULTS: dict[str, Any] = {
    "cut on the way back": Reset(during="effect"),
    "done and never answered": Hang(after_effect=True),
}


@pytest.fixture
def simulated() -> Generator[SimulatedAzureOpenAI]:
    """Azure OpenAI, whose jobs move by looks."""
    with SimulatedAzureOpenAI(conditions=AzureConditions()) as simulated:
        yield simulated
    assert simulated.violations == []


@pytest.fixture(params=[None, "2024-10-21"])
async def service(
    request: pytest.FixtureRequest,
    simulated: SimulatedAzureOpenAI,
    database_url: str,
    tmp_path: Path,
) -> AsyncGenerator[httpx.AsyncClient]:
    """The service, which looks often and settles at once, over each of the APIs."""
    options = AzureOpenAIOptions.model_validate(
        {
            "endpoint": simulated.url,
            "api_key": KEY,
            "api_version": request.param,
            "poll_seconds": 0.05,
            "timeout_seconds": 2,
        }
    )
    spec = msgspec.structs.replace(spec_of(options), settle_seconds=0.0)
    connection = Connection("azure_openai", options, str(tmp_path))
    providers = {"azure_openai": AzureOpenAIProvider(spec, connection)}
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    async with api(bootstrap.build(settings, providers=providers), reconcile=True) as client:
        yield client


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_whatever_becomes_of_the_create_one_job_is_paid(
    service: httpx.AsyncClient, simulated: SimulatedAzureOpenAI, fault: Any
) -> None:
    simulated.order(fault, JOBS, method="POST")
    await dataset(service)

    wanted = await job(service, provider="azure_openai", base_model="gpt-4.1-mini-2025-04-14")
    done = await ended(service, wanted)

    assert done["status"] == "succeeded"
    assert len(simulated.jobs) == 1
    assert list(simulated.deployments) == []
    path = f"/models/{done['tuned_model']}/chat/completions"
    asked = await service.post(path, json={"messages": [{"role": "user", "content": "Hi"}]})
    refused(asked, 503, "model_unavailable")
