"""What tests of uploads by URL share: a service whose operator opened loopback and one bucket."""

from pathlib import Path

import pytest

from app import bootstrap
from app.bootstrap import House
from app.settings import Settings
from app.telemetry.logs import configure_logging
from tests.network.hosts import LOOPBACK
from tests.simulated.simulated_provider import SimulatedProvider


@pytest.fixture(autouse=True, scope="session")
def logs() -> None:
    """One line of JSON for each event."""
    configure_logging("json")


@pytest.fixture
def house(database_url: str, tmp_path: Path, vendor: SimulatedProvider) -> House:
    """The whole service, which may fetch from this machine."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=database_url,
        allow_private_addresses=list(LOOPBACK),
        max_upload_bytes=1000,
    )
    return bootstrap.build(settings, providers={"simulated": vendor})
