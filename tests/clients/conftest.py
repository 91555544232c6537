"""A service on a loopback port, what it says of itself, and a file to begin with."""

import json
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app import bootstrap
from app.settings import Settings
from tests.serving import on_loopback
from tests.simulated.simulated_provider import SimulatedProvider

KEY = "a-key-of-this-test"

PROGRAMS = Path(__file__).parent / "programs"

SAID = """\
dataset 12
listed echo
content 12
job succeeded 5000.00
answer say what?
evaluation 0.0 1.0
refused job_not_found
"""
"""What each program prints on its way."""


@pytest.fixture
def url(tmp_path: Path, vendor: SimulatedProvider) -> Generator[str]:
    """Where a service is that has nothing in it yet."""
    settings = Settings(data_dir=tmp_path / "data", admin_key=SecretStr(KEY))
    with on_loopback(bootstrap.build(settings, providers={"simulated": vendor})) as url:
        yield url


@pytest.fixture
def description(url: str, tmp_path: Path) -> Path:
    """The service's description, as a file for a generator."""
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{url}/openapi.json", trust_env=False, timeout=60).content)
    return path


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Twelve examples and a wrong row."""
    path = tmp_path / "rows.jsonl"
    lines = [{"prompt": f"say {number}", "completion": f"say {number}"} for number in range(12)]
    path.write_text("\n".join(json.dumps(line) for line in [*lines, {"prompt": "alone"}]))
    return path
