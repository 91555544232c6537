"""OpenAI with its provider, the conformance suite's stage."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from app.providers.openai.provider import OpenAIProvider
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.conformance.openai_stage import OpenAIStage, openai_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[OpenAIStage]:
    """OpenAI, whose jobs move when they are told to."""
    async with openai_stage(tmp_path) as stage:
        yield stage


@pytest.fixture
def provider(stage: OpenAIStage) -> OpenAIProvider:
    """The provider in front of it."""
    return stage.provider


@pytest.fixture
def simulated(stage: OpenAIStage) -> SimulatedOpenAI:
    """The vendor itself."""
    return stage.simulated
