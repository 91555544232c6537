"""The stages by kind, or `kind@what` for a second one; each provider adds a line here."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.conformance.azure_ml_stage import azure_ml_stage
from tests.conformance.azure_openai_stage import azure_openai_stage, dated_stage
from tests.conformance.openai_compatible_stage import openai_compatible_stage
from tests.conformance.openai_stage import openai_stage
from tests.conformance.stage import Stage
from tests.conformance.vertex_stage import vertex_stage

STAGES: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Stage]]] = {
    "azure_ml": azure_ml_stage,
    "azure_openai": azure_openai_stage,
    "azure_openai@2024-10-21": dated_stage,
    "openai": openai_stage,
    "openai_compatible": openai_compatible_stage,
    "vertex": vertex_stage,
}


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Stage]:
    """Each provider in turn."""
    async with STAGES[request.param](tmp_path) as stage:
        yield stage
