"""A service that may send to this machine, and somebody who receives."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from app.bootstrap import House
from tests.simulated.simulated_provider import SimulatedProvider
from tests.webhooks.given import open_house
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture
def house(database_url: str, tmp_path: Path, vendor: SimulatedProvider) -> House:
    """The whole service, whose operator opened loopback."""
    return open_house(database_url, tmp_path, vendor)


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    """Somebody who is told."""
    async with receiving() as receiver:
        yield receiver
