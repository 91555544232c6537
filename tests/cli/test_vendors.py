"""`luthier providers import` and `refresh`, and `models export`: what vendors have of ours."""

import asyncio
import tarfile
from collections.abc import AsyncIterator, Generator, Sequence
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from app import bootstrap
from app.domain.provider import ExportedFile, Weights
from app.settings import Settings
from tests.cli.conftest import Luthier
from tests.conformance.openai_stage import OpenAIStage, simulated_openai
from tests.serving import on_loopback
from tests.simulated.simulated_provider import SimulatedProvider


class Lending(SimulatedProvider):
    """Has the weights where they can be taken along."""

    async def export(self, artifact: str, weights: Weights) -> Sequence[ExportedFile]:
        """One file with the name of what was asked for."""

        async def chunks() -> AsyncIterator[bytes]:
            yield weights.encode()

        return [ExportedFile(name="weights", size=len(weights), chunks=chunks)]


@pytest.fixture
def stage(tmp_path: Path) -> Generator[OpenAIStage]:
    """OpenAI, simulated."""
    with simulated_openai() as simulated:
        yield OpenAIStage(simulated, tmp_path)


@pytest.fixture
def luthier(stage: OpenAIStage, tmp_path: Path) -> Generator[Luthier]:
    """The command in front of a service with an account at OpenAI."""
    providers = {"openai": stage.connect(), "simulated": Lending.at(tmp_path / "vendor")}
    settings = Settings(data_dir=tmp_path)
    with on_loopback(bootstrap.build(settings, providers=providers)) as url:
        yield Luthier({"LUTHIER_URL": url, "LUTHIER_KEY": None})


async def upload_by_hand(vendor: AsyncOpenAI, content: bytes) -> str:
    """The vendor's id of a file that a person put there."""
    async with vendor:
        sent = await vendor.files.create(file=("bad.jsonl", content), purpose="fine-tune")
    return sent.id


def test_what_is_at_a_vendor_becomes_ours_once(luthier: Luthier, stage: OpenAIStage) -> None:
    remote = asyncio.run(stage.tune_by_hand())
    wrong = asyncio.run(upload_by_hand(stage.vendor(), b'{"messages": []}\n' * 12))

    first = luthier.run("providers", "import", "openai")
    again = luthier.run("providers", "import", "openai", "--what", "jobs")

    adopted = {line.split("\t")[0]: line.split("\t")[1:] for line in first.stdout.splitlines()}
    assert adopted["jobs"][1] == remote.id
    assert luthier.ask("jobs", "show", adopted["jobs"][0])["remote"]["id"] == remote.id
    assert f"luthier: {wrong} (files): " in first.stderr
    assert "  line 1: " in first.stderr
    assert again.stdout == ""
    assert again.stderr.startswith("1 known before, 0 refused, 0 left")


def test_a_vendors_own_list_is_asked_for(luthier: Luthier) -> None:
    before = luthier.ask("providers", "models", "openai")

    refreshed = luthier.run("providers", "refresh", "openai")

    assert before["seen_at"] is None
    assert "listed" in {line.split("\t")[-1] for line in refreshed.stdout.splitlines()}
    assert "The provider's own list was seen at" in refreshed.stderr
    assert luthier.run("providers", "models", "openai").stdout == refreshed.stdout


def test_weights_are_taken_along(luthier: Luthier, tuned: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.tar"

    luthier.run("models", "export", tuned, "--weights", "merged", "-o", str(file))

    with tarfile.open(file) as archive:
        held = archive.extractfile(f"{tuned}-merged/weights")
        assert held is not None
        assert held.read() == b"merged"
