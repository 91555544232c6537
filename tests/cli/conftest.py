"""A service on a loopback port over the simulated provider, and the real command in front of it."""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from app import bootstrap
from app.cli.main import cli
from app.settings import Settings
from tests.network.hosts import LOOPBACK
from tests.serving import on_loopback
from tests.simulated.simulated_provider import SimulatedProvider

KEY = "a-key-of-this-test"

Json = dict[str, Any]


@dataclass(frozen=True)
class Luthier:
    """`luthier` with the environment of a person who uses the service."""

    environment: dict[str, str | None]

    def run(self, *words: str, status: int = 0) -> Result:
        """What the command printed; it has to end as expected."""
        result = CliRunner().invoke(cli, words, env=self.environment)
        assert result.exit_code == status, (result.output, result.exception)
        return result

    def ask(self, *words: str, status: int = 0) -> Json:
        """What the command printed for a program."""
        return json.loads(self.run(*words, "--json", status=status).stdout)


@pytest.fixture(scope="session")
def vendor_of_all(tmp_path_factory: pytest.TempPathFactory) -> SimulatedProvider:
    """The vendor behind the service that all tests share."""
    return SimulatedProvider.at(tmp_path_factory.mktemp("vendor"))


@pytest.fixture(scope="session")
def url(
    tmp_path_factory: pytest.TempPathFactory, vendor_of_all: SimulatedProvider
) -> Generator[str]:
    """Where the service is; it asks for a key."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        admin_key=SecretStr(KEY),
        allow_private_addresses=list(LOOPBACK),
    )
    house = bootstrap.build(settings, providers={"simulated": vendor_of_all})
    with on_loopback(house) as url:
        yield url


@pytest.fixture
def luthier(url: str) -> Luthier:
    """The command, told where the service is and with what key."""
    return Luthier({"LUTHIER_URL": url, "LUTHIER_KEY": KEY})


@pytest.fixture
def tuned(luthier: Luthier, dataset: str) -> str:
    """The id of a model that was just tuned."""
    recipe = ("--provider", "simulated", "--base-model", "sim-base", "--dataset", dataset)
    job = luthier.run("jobs", "create", *recipe).stdout.strip()
    return luthier.run("jobs", "watch", job).stdout.splitlines()[-1]


@pytest.fixture
def held_out(luthier: Luthier, write: Callable[[str, list[Json]], str]) -> str:
    """The id of examples that no model was trained with."""
    rows = [{"prompt": f"tell {number}", "completion": f"tell {number}"} for number in range(12)]
    return luthier.run(
        "datasets", "upload", write("held.jsonl", rows), "--name", "held-out"
    ).stdout.strip()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, list[Json]], str]:
    """A file of JSON Lines, by its name."""

    def written(name: str, rows: list[Json]) -> str:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return written


@pytest.fixture
def dataset(luthier: Luthier, write: Callable[[str, list[Json]], str]) -> str:
    """The id of a dataset of twelve examples, the same for all tests."""
    rows = [{"prompt": f"say {number}", "completion": f"say {number}"} for number in range(12)]
    file = write("echo.jsonl", rows)
    return luthier.run("datasets", "upload", file, "--name", "echo").stdout.strip()
