"""A service before a vendor that was used without it."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI

from app import bootstrap
from app.domain.provider import Connection
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider
from app.sandbox.openai.simulator import SimulatedOpenAI
from app.settings import Settings
from tests.conformance.openai_stage import simulated_openai
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

KEY = "sk-import"


@pytest.fixture
def simulated() -> Generator[SimulatedOpenAI]:
    """OpenAI, whose jobs move when they are told to."""
    with simulated_openai() as simulated:
        yield simulated


@pytest.fixture
async def person(simulated: SimulatedOpenAI) -> AsyncGenerator[AsyncOpenAI]:
    """Somebody with the same key, who works with the vendor's own client."""
    async with AsyncOpenAI(api_key=KEY, base_url=simulated.url, max_retries=0) as client:
        yield client


@pytest.fixture
async def service(
    simulated: SimulatedOpenAI, vendor: SimulatedProvider, database_url: str, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """The service, which looks at running jobs all the time."""
    options = OpenAIOptions.model_validate(
        {"api_key": KEY, "base_url": simulated.url, "poll_seconds": 0.05}
    )
    still_open = {
        "creation": {"closes_at": "2999-01-01"},
        "defaults": {"training_ends_at": "2999-01-01"},
    }
    connection = Connection("openai", options, str(tmp_path), still_open)
    providers = {"openai": OpenAIProvider(SPEC, connection), "simulated": vendor}
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    async with api(bootstrap.build(settings, providers=providers), reconcile=True) as client:
        yield client
