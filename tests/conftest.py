"""What all tests share: both databases, and the service over the simulated provider."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from pydantic import SecretStr

from app import bootstrap
from app.bootstrap import House
from app.settings import Settings
from app.storage import migrating
from app.storage.database import embedded_url, normalise
from tests import databases
from tests.sandbox.egress import no_egress
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider
from tests.tenancy_guard import watching

WALL = Path(__file__).parent / "wall"

# What fails for one fails for all, and for no one because of a slow machine; `make explore` draws
# other examples each time.
settings.register_profile(
    "others", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("same", settings.get_profile("others"), derandomize=True)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def no_way_out() -> Generator[None]:
    """No connection leaves this machine, neither from the tests nor from their Python processes."""
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(WALL), *([path] if path else [])])
    with no_egress():
        yield


@pytest.fixture(scope="session", autouse=True)
def eager_reconcilers() -> None:
    """Work that is due is found soon, here and in the processes of tests, which wait for it."""
    os.environ["LUTHIER_POLL_SECONDS"] = "0.1"


@pytest.fixture(scope="session", autouse=True)
def no_statement_without_its_project() -> Generator[None]:
    """Every request of every test says whose rows it sees."""
    with watching():
        yield


@pytest.fixture(scope="session")
def postgres() -> Generator[str]:
    """A real PostgreSQL server with a migrated template."""
    with databases.postgres_server() as server:
        databases.prepare_template(server)
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    folder = tmp_path_factory.mktemp("sqlite")
    asyncio.run(migrating.migrate(normalise(embedded_url(folder))))
    return folder / "luthier.db"


@pytest.fixture(params=["sqlite", "postgres"])
def pattern(request: pytest.FixtureRequest) -> Path | str:
    """What a test's own database is copied from: a SQLite file, or a server's URL."""
    return request.getfixturevalue("postgres" if request.param == "postgres" else "migrated_sqlite")


@pytest.fixture
async def database_url(pattern: Path | str, tmp_path: Path) -> AsyncGenerator[str]:
    """A fresh migrated database: the test runs once on SQLite and once on PostgreSQL."""
    if isinstance(pattern, str):
        async with databases.postgres_database(pattern) as url:
            yield url
        return
    shutil.copy(pattern, tmp_path / "luthier.db")
    yield embedded_url(tmp_path)


@pytest.fixture
def vendor(tmp_path: Path) -> SimulatedProvider:
    """A place to train that exists in a folder only, and does what a test tells it."""
    return SimulatedProvider.at(tmp_path / "vendor")


@pytest.fixture
def house(database_url: str, tmp_path: Path, vendor: SimulatedProvider) -> House:
    """The whole service over the simulated provider, not yet at work."""
    secret = SecretStr("a key that only these tests know of")
    settings = Settings(data_dir=tmp_path, database_url=database_url, secret_key=secret)
    return bootstrap.build(settings, providers={"simulated": vendor})


@pytest.fixture
async def idle_client(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    """The API of a service whose reconciler rests: a test ticks the chores itself."""
    async with api(house, reconcile=False) as client:
        yield client


@pytest.fixture
async def client(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    """The API of a service at work."""
    async with api(house, reconcile=True) as client:
        yield client
