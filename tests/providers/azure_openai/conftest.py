"""Azure OpenAI with its provider, the conformance suite's stage."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from app.providers.azure_openai.provider import AzureOpenAIProvider
from tests.conformance.azure_openai_stage import (
    AzureOpenAIStage,
    azure_openai_stage,
    dated_stage,
)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[AzureOpenAIStage]:
    """The v1 API, whose jobs move when they are told to."""
    async with azure_openai_stage(tmp_path) as stage:
        yield stage


@pytest.fixture
async def dated(tmp_path: Path) -> AsyncGenerator[AzureOpenAIStage]:
    """The dated API."""
    async with dated_stage(tmp_path) as stage:
        yield stage


@pytest.fixture
def provider(stage: AzureOpenAIStage) -> AzureOpenAIProvider:
    """The provider in front of the v1 API."""
    return stage.provider
