"""The service as a process over the data of a house whose own reconciler rests."""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import House
from tests.crash.processes import Luthier


@pytest.fixture
def sections(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The providers that the process gets."""
    return {"simulated": {"folder": str(tmp_path / "vendor")}}


@pytest.fixture
async def luthier(house: House, sections: dict[str, dict[str, Any]]) -> AsyncGenerator[Luthier]:
    """The process that works on what `idle_client` is asked for, and is killed."""
    luthier = Luthier(house, providers=sections)
    yield luthier
    await luthier.close()
    # pytest shows it with a test that failed.
    sys.stderr.write(luthier.log())
