"""What stands behind the door: each a provider before its simulated vendor."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from app.domain.jobs import Remote
from app.domain.provider import Connection, Provider
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider
from app.sandbox.frame.conditions import Pace
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.conformance.azure_openai_stage import azure_openai_stage
from tests.conformance.local_stage import local_stage
from tests.conformance.vertex_stage import vertex_stage
from tests.simulated.simulated_provider import SimulatedProvider

STILL_OPEN = {
    "creation": {"closes_at": "2999-01-01"},
    "defaults": {"training_ends_at": "2999-01-01", "serving_ends_at": "2999-01-01"},
}
"""What the tests run on, whatever day it is."""


class Backend(Protocol):
    """One provider, and a string to pull so that its jobs come to their end."""

    @property
    def provider(self) -> Provider: ...

    @property
    def base_model(self) -> str: ...

    def begin(self, remote: Remote) -> None:
        """Let the job run."""
        ...

    def finish(self, remote: Remote) -> None:
        """Let the job succeed."""
        ...


class SimulatedBackend:
    """The vendor in a folder, whose jobs end by being looked at."""

    base_model = "sim-base"

    def __init__(self, folder: Path) -> None:
        self.provider = SimulatedProvider.at(folder / "vendor")

    def begin(self, remote: Remote) -> None:
        return

    def finish(self, remote: Remote) -> None:
        return


class OpenAIBackend:
    """OpenAI, whose jobs move when they are told to."""

    base_model = "gpt-4.1-mini-2025-04-14"

    def __init__(self, simulated: SimulatedOpenAI, folder: Path) -> None:
        options = OpenAIOptions.model_validate({"api_key": "sk-test", "base_url": simulated.url})
        connection = Connection("openai", options, str(folder), STILL_OPEN)
        self.simulated = simulated
        self.provider = OpenAIProvider(SPEC, connection)

    def begin(self, remote: Remote) -> None:
        self.simulated.advance(3, job=remote.id)

    def finish(self, remote: Remote) -> None:
        self.simulated.advance(9, job=remote.id)


@asynccontextmanager
async def simulated_backend(folder: Path) -> AsyncGenerator[SimulatedBackend]:
    """No vendor at all."""
    yield SimulatedBackend(folder)


@asynccontextmanager
async def openai_backend(folder: Path) -> AsyncGenerator[OpenAIBackend]:
    """OpenAI on loopback."""
    with SimulatedOpenAI(conditions=Conditions(pace=Pace(by="order"))) as simulated:
        yield OpenAIBackend(simulated, folder)


BACKENDS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Backend]]] = {
    "simulated": simulated_backend,
    "local": local_stage,
    "openai": openai_backend,
    "vertex": vertex_stage,
    "azure_openai": azure_openai_stage,
}
