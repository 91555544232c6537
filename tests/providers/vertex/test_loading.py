"""What is loaded before it is needed: nothing of Google's."""

import subprocess
import sys

import pytest

from app.domain.errors import ModelUnavailable, YourTurn
from app.domain.provider import Servable
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.providers.vertex.given import BASE, a_plan, connected

SCRIPT = """
import sys
from app.providers import catalog
provider = catalog.connect({"vertex": {}}, data_dir="unused")["vertex"]
assert provider.base_models() and provider.missing
names = ("google.api_core", "google.auth", "google.cloud.", "google.genai")
print([name for name in sys.modules if name.startswith(names)])
"""


def test_connecting_loads_no_library_of_googles() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )

    assert ended.stdout.strip() == "[]"


async def test_what_is_not_configured_is_the_users_turn(simulated: SimulatedVertex) -> None:
    provider = connected(simulated, staging_bucket=None)

    with pytest.raises(YourTurn, match="LUTHIER_PROVIDERS__VERTEX__STAGING_BUCKET"):
        await provider.submit(a_plan())


async def test_a_key_file_that_is_none_is_the_users_turn(simulated: SimulatedVertex) -> None:
    provider = connected(simulated, credentials_file=__file__)

    with pytest.raises(YourTurn, match="cannot be read"):
        await provider.submit(a_plan())
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        await provider.chat(Servable(BASE), {"messages": [{"role": "user", "content": "Hi"}]})
    await provider.close()
