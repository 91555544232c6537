"""A Python client from `openapi-python-client`: it type-checks, and it does a whole pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import KEY, PROGRAMS, SAID

PROGRAM = PROGRAMS / "whole_pass.py"


@pytest.fixture
def generated(description: Path, tmp_path: Path) -> Path:
    """The folder with the package `luthier_client`; the generator has nothing to warn of."""
    folder = tmp_path / "generated"
    folder.mkdir()
    generator = [Path(sys.executable).with_name("openapi-python-client"), "generate"]
    options = ["--meta", "none", "--config", PROGRAMS / "generator.yaml", "--fail-on-warning"]
    output = ["--path", description, "--output-path", folder / "luthier_client"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([*generator, *options, *output], check=True, env=os.environ | {"PATH": path})
    return folder


def test_a_program_over_the_client_does_a_whole_pass(generated: Path, url: str, rows: Path) -> None:
    ran = subprocess.run(
        [sys.executable, PROGRAM, url, KEY, rows],
        env=os.environ | {"PYTHONPATH": str(generated), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.stdout, ran.stderr) == (SAID, "")


def test_the_program_is_typed_throughout(generated: Path, tmp_path: Path) -> None:
    program = tmp_path / PROGRAM.name
    program.write_text(PROGRAM.read_text())
    (tmp_path / "pyrightconfig.json").write_text(
        '{"typeCheckingMode": "strict", "include": ["whole_pass.py"], "extraPaths": ["generated"]}'
    )

    checked = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
