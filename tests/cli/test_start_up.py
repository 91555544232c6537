"""What a command loads before it does anything."""

import json
import subprocess
import sys

import pytest

SERVICE = {"alembic", "app.bootstrap", "app.main", "fastapi", "pydantic", "sqlalchemy", "uvicorn"}

LOADED = """
import json, runpy, sys
from contextlib import suppress

sys.argv = ["luthier", *sys.argv[1:]]
with suppress(SystemExit):
    runpy.run_module("app", run_name="__main__")
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("jobs", "list", "--url", "http://127.0.0.1:1"),
        ("models", "ask", "model_1", "Hello?", "--url", "http://127.0.0.1:1"),
        ("sandbox", "--help"),
        ("demo", "--help"),
    ],
)
def test_a_command_over_http_loads_nothing_of_the_service(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", LOADED, *words]

    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    loaded = set(json.loads(printed.splitlines()[-1]))
    assert "httpx" in loaded
    assert loaded & SERVICE == set()
