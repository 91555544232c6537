"""The stage of an OpenAI-compatible host: another address and key, and fewer abilities."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.domain.provider import Connection
from app.providers.openai_compatible import SPEC, OpenAICompatibleOptions
from app.providers.openai_compatible.provider import OpenAICompatibleProvider
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.conformance.openai_stage import WireStage, simulated_openai

KEY = "compatible-conformance-secret"

BASE_MODEL = "gpt-4.1-nano-2025-04-14"

CAPABILITIES: dict[str, Any] = {
    "base_models": [
        {
            "name": BASE_MODEL,
            "methods": ["sft", "dpo"],
            "context_length": 32000,
            "limits": {"maximum_file_bytes": 1048576},
        }
    ]
}


class OpenAICompatibleStage(WireStage):
    """A host with one base model, no filter by metadata, no pause and no checkpoints."""

    base_model = BASE_MODEL
    secrets = (KEY,)

    def __init__(self, simulated: SimulatedOpenAI, folder: Path) -> None:
        self.options = OpenAICompatibleOptions.model_validate(
            {"api_key": KEY, "base_url": simulated.url, "capabilities": CAPABILITIES}
        )
        self.simulated = simulated
        self._folder = folder
        self.provider = self.connect()

    def connect(self) -> OpenAICompatibleProvider:
        connection = Connection("acme", self.options, str(self._folder))
        return OpenAICompatibleProvider(SPEC, connection)


@asynccontextmanager
async def openai_compatible_stage(folder: Path) -> AsyncGenerator[OpenAICompatibleStage]:
    """Such a host before OpenAI's simulator."""
    with simulated_openai() as simulated:
        stage = OpenAICompatibleStage(simulated, folder)
        yield stage
        await stage.provider.close()
