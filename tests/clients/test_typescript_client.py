"""Types from `openapi-typescript`: a program over them type-checks, and does a whole pass."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import KEY, PROGRAMS, SAID


@pytest.fixture
def workshop(description: Path, tmp_path: Path) -> Path:
    """The program in a folder with the tools and the types that were generated."""
    folder = tmp_path / "typescript"
    shutil.copytree(PROGRAMS, folder)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here")
    install = [npm, "install", "--no-audit", "--no-fund", "--fetch-retries=0"]
    if subprocess.run(install, cwd=folder, capture_output=True, check=False).returncode != 0:
        pytest.skip("npm reaches no registry")
    generate = ["npx", "openapi-typescript", description, "--default-non-nullable=false"]
    subprocess.run([*generate, "-o", "luthier.ts"], cwd=folder, capture_output=True, check=True)
    return folder


def test_a_program_over_the_types_does_a_whole_pass(workshop: Path, url: str, rows: Path) -> None:
    compiled = run(workshop, "npx", "tsc")
    ran = run(workshop, "node", "whole_pass.js", url, KEY, rows)

    assert (compiled.returncode, compiled.stdout) == (0, "")
    assert (ran.stdout, ran.stderr) == (SAID, "")


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """What a command in the folder came to."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
