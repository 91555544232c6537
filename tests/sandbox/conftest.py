"""A simulator of OpenAI for every test, and the real SDK in front of it."""

from collections.abc import AsyncGenerator, Generator

import httpx
import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from app.sandbox.frame.contract import Contract
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.contracts import CONTRACTS
from tests.sandbox.egress import no_egress


@pytest.fixture(autouse=True)
def wall() -> Generator[list[str]]:
    """Nothing outside this machine can be reached; what tries to fails its test."""
    with no_egress() as refused:
        yield refused
    assert refused == []


@pytest.fixture(scope="session")
def published() -> Contract | None:
    """OpenAI's contract, where its document lies beside the repository."""
    path = CONTRACTS / "openai.openapi.json"
    return Contract.read(path) if path.exists() else None


@pytest.fixture
def simulated(published: Contract | None) -> Generator[SimulatedOpenAI]:
    """OpenAI, with nothing in it yet; what breaks its contract fails the test."""
    with SimulatedOpenAI(contract=published) as simulated:
        yield simulated
    assert simulated.violations == []


@pytest.fixture
async def openai(simulated: SimulatedOpenAI) -> AsyncGenerator[AsyncOpenAI]:
    """The vendor's SDK, which tries everything once."""
    async with AsyncOpenAI(
        base_url=simulated.url,
        api_key="sk-test",
        max_retries=0,
        timeout=60,
        http_client=DefaultAsyncHttpxClient(trust_env=False),
    ) as client:
        yield client


@pytest.fixture
async def wire(simulated: SimulatedOpenAI) -> AsyncGenerator[httpx.AsyncClient]:
    """Plain HTTP with a key; paths are relative to the server, not to `/v1`."""
    async with httpx.AsyncClient(
        base_url=simulated.url.removesuffix("/v1"),
        headers={"authorization": "Bearer sk-test"},
        trust_env=False,
        timeout=60,
    ) as client:
        yield client
