"""A service between two vendors, with a model that was tuned at the first."""

from pathlib import Path

import httpx
import pytest

from app import bootstrap
from app.bootstrap import House
from app.settings import Settings
from tests.api.given import dataset, rows, tuned
from tests.migrating.vendors import Elsewhere, Retiring
from tests.simulated.simulated_provider import SimulatedOptions

ALIAS = "support@prod"


@pytest.fixture
def vendor(tmp_path: Path) -> Retiring:
    """The vendor that models come from, in place of the one that other tests have."""
    return Retiring(SimulatedOptions(folder=tmp_path / "vendor"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    """The vendor that models are taken to."""
    return Elsewhere(SimulatedOptions(folder=tmp_path / "elsewhere"))


@pytest.fixture
def house(database_url: str, tmp_path: Path, vendor: Retiring, elsewhere: Elsewhere) -> House:
    """The service over both vendors, not yet at work."""
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    return bootstrap.build(settings, providers={"simulated": vendor, "elsewhere": elsewhere})


@pytest.fixture
async def model(client: httpx.AsyncClient) -> str:
    """The id of a tuned model that an alias names, with held-out examples beside it."""
    await dataset(client, "held-out", rows(30)[12:])
    hyperparameters = {"epochs": 5, "learning_rate_multiplier": 1.8, "lora_rank": 6}
    method = {"type": "sft", "hyperparameters": hyperparameters}
    model = await tuned(client, method=method, tags={"team": "care"}, seed=7)
    await client.put(f"/aliases/{ALIAS}", json={"model": model})
    return model
