"""What tests of the API share: logs as an operator's machine reads them."""

import pytest

from app.telemetry.logs import configure_logging


@pytest.fixture(autouse=True, scope="session")
def logs() -> None:
    """One line of JSON for each event."""
    configure_logging("json")
