"""A simulated Google for every test, and the provider in front of it."""

from collections.abc import AsyncGenerator, Generator

import pytest

from app.providers.vertex.provider import VertexProvider
from app.sandbox.vertex.contract import GoogleContract
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.contracts import CONTRACTS
from tests.providers.vertex.given import connected
from tests.sandbox.egress import no_egress


@pytest.fixture(autouse=True)
def wall() -> Generator[None]:
    """Nothing outside this machine can be reached; what tries to fails its test."""
    with no_egress() as refused:
        yield
    assert refused == []


@pytest.fixture(scope="session")
def published() -> GoogleContract | None:
    """Google's documents, where they lie beside the repository."""
    return GoogleContract.read_all(CONTRACTS) if CONTRACTS.exists() else None


@pytest.fixture
def simulated(published: GoogleContract | None) -> Generator[SimulatedVertex]:
    """Google, with an empty bucket; what breaks its contract fails the test."""
    with SimulatedVertex(contract=published) as simulated:
        yield simulated
    assert simulated.violations == []


@pytest.fixture
async def provider(simulated: SimulatedVertex) -> AsyncGenerator[VertexProvider]:
    """The provider, connected to it."""
    provider = connected(simulated)
    yield provider
    await provider.close()
