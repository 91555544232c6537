"""A simulated workspace for every test, and the provider in front of it."""

from collections.abc import AsyncGenerator, Generator

import pytest

from app.providers.azure_ml.provider import AzureMLProvider
from app.sandbox.azure_ml.contract import AzureMLContract
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from tests.contracts import CONTRACTS
from tests.providers.azure_ml.given import connected
from tests.sandbox.egress import no_egress


@pytest.fixture(autouse=True)
def wall() -> Generator[None]:
    """Nothing outside this machine can be reached; what tries to fails its test."""
    with no_egress() as refused:
        yield
    assert refused == []


@pytest.fixture(scope="session")
def published() -> AzureMLContract | None:
    """Microsoft's documents, where they lie beside the repository."""
    return AzureMLContract.read_all(CONTRACTS) if CONTRACTS.exists() else None


@pytest.fixture
def simulated(published: AzureMLContract | None) -> Generator[SimulatedAzureML]:
    """A workspace with nothing in it; what breaks its contract fails the test."""
    with SimulatedAzureML(contract=published) as simulated:
        yield simulated
    assert simulated.violations == []


@pytest.fixture
async def provider(simulated: SimulatedAzureML) -> AsyncGenerator[AzureMLProvider]:
    """The provider, connected to it."""
    provider = connected(simulated)
    yield provider
    await provider.close()
