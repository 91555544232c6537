"""Which files of a run are taken along, and which weights stay on the disk."""

import os
from pathlib import Path

import msgspec
import pytest

from app.domain.errors import ExportImpossible
from app.domain.provider import Weights
from app.providers.local import LocalOptions
from app.providers.local.base_models import find_base_model
from app.providers.local.exports import MERGED_KEPT, Exports, make_room
from app.providers.local.records import RunArtifact, RunResult, RunSpec

TINY = find_base_model("luthier-tiny").model


def run(root: Path, *, base: str = TINY) -> str:
    """A run that left an adapter; its handle."""
    folder = root / "job-1-1" / "model"
    folder.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "tokenizer.json", "README.md", "training_args.bin"):
        (folder / name).write_text(name)
    (folder / "adapter_config.json").write_text('{"r": 8, "base_model_name_or_path": "/here"}')
    spec = RunSpec(key="job-1-1", base_model="luthier-tiny", model=base, method="sft")
    artifact = RunArtifact(path="model", kind="adapter", base=base)
    result = RunResult(outcome="succeeded", artifact=artifact)
    (folder.parent / "spec.json").write_bytes(msgspec.json.encode(spec))
    (folder.parent / "result.json").write_bytes(msgspec.json.encode(result))
    return "job-1-1/model"


async def test_an_adapter_is_taken_without_what_only_counts_here(tmp_path: Path) -> None:
    files = await Exports(LocalOptions(), tmp_path).files(run(tmp_path), Weights.ADAPTER)

    contents = {file.name: b"".join([chunk async for chunk in file.chunks()]) for file in files}
    assert contents.keys() == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
    }
    assert msgspec.json.decode(contents["adapter_config.json"]) == {
        "r": 8,
        "base_model_name_or_path": "luthier-tiny",
    }
    assert all(file.size == len(contents[file.name]) for file in files)


async def test_an_adapter_on_a_tuned_model_is_of_no_use_alone(tmp_path: Path) -> None:
    artifact = run(tmp_path, base=str(tmp_path / "job-0-1" / "model"))

    with pytest.raises(ExportImpossible, match="weights=merged"):
        await Exports(LocalOptions(), tmp_path).files(artifact, Weights.ADAPTER)


async def test_weights_that_are_gone_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(ExportImpossible, match="gone"):
        await Exports(LocalOptions(), tmp_path).files("job-1-1/model", Weights.MERGED)


def test_merged_weights_make_room_for_those_of_another_model(tmp_path: Path) -> None:
    kept = [tmp_path / f"job-{number}-1" / "merged" for number in range(MERGED_KEPT)]
    for number, folder in enumerate(kept):
        folder.mkdir(parents=True)
        os.utime(folder, (1000 - number, 1000 - number))

    make_room(tmp_path)

    assert [folder.is_dir() for folder in kept] == [True] * (MERGED_KEPT - 1) + [False]
