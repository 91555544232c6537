"""The stages by kind, or `kind@what` for a second one; each provider adds a line here."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.providers import readiness
from app.providers.local import SPEC as LOCAL
from tests.conformance.azure_ml_stage import azure_ml_stage
from tests.conformance.azure_openai_stage import azure_openai_stage, dated_stage
from tests.conformance.local_stage import local_stage
from tests.conformance.openai_compatible_stage import openai_compatible_stage
from tests.conformance.openai_stage import openai_stage
from tests.conformance.service import Service
from tests.conformance.stage import Stage, VendorStage
from tests.conformance.vertex_stage import vertex_stage

VENDORS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[VendorStage]]] = {
    "azure_ml": azure_ml_stage,
    "azure_openai": azure_openai_stage,
    "azure_openai@2024-10-21": dated_stage,
    "openai": openai_stage,
    "openai_compatible": openai_compatible_stage,
    "vertex": vertex_stage,
}

STAGES: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Stage]]] = {
    **VENDORS,
    "local": local_stage,
}


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Stage]:
    """Each provider in turn."""
    if request.param == "local" and (missing := readiness.missing_packages(LOCAL)):
        pytest.skip(f"not installed: {', '.join(missing)}")
    async with STAGES[request.param](tmp_path) as stage:
        yield stage


@pytest.fixture(params=VENDORS)
async def vendor_stage(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[VendorStage]:
    """Each provider of a vendor in turn."""
    async with VENDORS[request.param](tmp_path) as stage:
        yield stage


@pytest.fixture
def service(stage: Stage, tmp_path: Path, database_url: str) -> Service:
    """The whole service before the stage, over a database that outlives its processes."""
    return Service(stage, tmp_path, database_url)
