"""The trainer as it is: real child processes that train, are killed, go on, and fail."""

import math
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.providers.local.records import (
    AnyEvent,
    CheckpointEvent,
    MetricsEvent,
    NoticeEvent,
    PhaseEvent,
    RunResult,
)
from app.providers.local.runs import AlreadyRunning, NothingToRun, RunFolder, RunSpec

pytest.importorskip("trl")
from safetensors.torch import load_file, save_file

LORA = {"adapter": "lora", "epochs": 6, "batch_size": 4, "lora_dropout": 0.1}
FULL = {"adapter": "full", "epochs": 3, "batch_size": 1, "gradient_accumulation_steps": 2}
Create = Callable[..., RunFolder]


@pytest.fixture(scope="module")
def create(
    tiny_model: Path, chats: Path, preferences: Path, tmp_path_factory: pytest.TempPathFactory
) -> Create:
    def create_run(key: str, hyperparameters: dict[str, Any], **changes: Any) -> RunFolder:
        values: dict[str, Any] = {"base_model": "tiny", "model": str(tiny_model), "method": "sft"}
        root = changes.pop("root", None) or tmp_path_factory.mktemp("runs")
        values |= {"hyperparameters": hyperparameters, "threads": 1} | changes
        spec = RunSpec(key=key, **values)
        data = preferences if spec.method == "dpo" else chats
        return RunFolder.create(root, spec, data, data)

    return create_run


@pytest.fixture(scope="module")
def lora_run(create: Create) -> RunFolder:
    run = create("lora", LORA)
    run.launch()
    finish(run)
    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes: room for a run's own files, not for a checkpoint."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def broken_model(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model with one weight that is no number."""
    folder = tmp_path / "broken"
    shutil.copytree(tiny_model, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][0] = math.nan
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_a_lora_run_reports_and_succeeds(lora_run: RunFolder) -> None:
    result, events = finish(lora_run), all_events(lora_run)
    assert (result.outcome, result.error, result.steps) == ("succeeded", None, 60)
    assert result.artifact is not None
    assert result.artifact.kind == "adapter"
    assert (lora_run.path / "model" / "adapter_model.safetensors").is_file()
    assert result.effective["learning_rate"] == 0.005
    assert result.tokens > 1000
    assert [event.phase for event in events if isinstance(event, PhaseEvent)] == [
        "starting",
        "loading",
        "preparing",
        "training",
        "saving",
        "probing",
    ]
    metrics = [event for event in events if isinstance(event, MetricsEvent)]
    assert [metric.step for metric in metrics if "eval_loss" not in metric.values] == [
        *range(1, 61)
    ]
    assert {"loss", "eval_loss", "tokens_per_second"} <= metrics[-1].values.keys()
    assert metrics[-1].values["loss"] < metrics[0].values["loss"]
    assert metrics[-1].eta_seconds == 0


def test_a_killed_run_ends_with_the_weights_of_a_quiet_one(
    create: Create, lora_run: RunFolder
) -> None:
    run = create("killed", LORA)
    run.launch()
    wait_for(run, lambda event: at_step(event, 25))
    assert run.kill()
    wait_until(lambda: not run.is_running())
    before, last = whole_checkpoints(run)
    tear(last)
    run.launch()
    result = finish(run)
    assert result.weights_sha256 == finish(lora_run).weights_sha256
    assert result.tokens == finish(lora_run).tokens
    assert f"resumed from step {before.name.removeprefix('checkpoint-')}" in notices(run)
    assert run.launches() == 2


@pytest.mark.long
def test_a_full_run_goes_on_after_a_stop(create: Create) -> None:
    quiet, stopped = create("quiet", FULL), create("stopped", FULL)
    quiet.launch()
    stopped.launch()
    wait_for(stopped, lambda event: at_step(event, 13))
    assert stopped.terminate()
    wait_until(lambda: not stopped.is_running())
    assert stopped.result() is None
    stopped.launch()
    result = finish(stopped)
    assert result.artifact is not None
    assert result.artifact.kind == "full"
    assert result.weights_sha256 == finish(quiet).weights_sha256


def test_a_cancelled_run_keeps_its_checkpoint(create: Create) -> None:
    run = create("cancelled", LORA | {"epochs": 100})
    run.launch()
    wait_for(run, lambda event: at_step(event, 3))
    with pytest.raises(AlreadyRunning):
        run.launch()
    run.request_cancel()
    assert run.terminate()
    result = finish(run)
    with pytest.raises(NothingToRun):
        run.launch()
    last = all_events(run)[-1]
    assert (result.outcome, result.error, result.artifact) == ("cancelled", None, None)
    assert isinstance(last, CheckpointEvent)
    assert (run.path / last.path / "complete.json").is_file()
    assert last.step == result.steps < 1000


def test_preferences_continue_from_an_adapter(create: Create, lora_run: RunFolder) -> None:
    adapter = str(lora_run.path / "model")
    wishes = {"epochs": 1, "batch_size": 8, "learning_rate": 0.001, "checkpoint_every": 2}
    run = create("preferences", wishes, method="dpo", adapter_from=adapter)
    run.launch()
    result = finish(run)
    assert (result.outcome, result.steps) == ("succeeded", 5)
    assert result.effective["lora_dropout"] == 0.1
    margins = figures(run, "rewards/margins")
    assert margins[-1] > margins[0] == 0
    assert not (run.path / "model" / "ref").exists()


def test_a_chat_run_continues_from_an_adapter(create: Create, lora_run: RunFolder) -> None:
    adapter = str(lora_run.path / "model")
    run = create("continued", LORA | {"epochs": 1}, adapter_from=adapter)
    run.launch()
    assert finish(run).outcome == "succeeded"
    assert figures(run, "loss")[0] == pytest.approx(figures(lora_run, "loss")[-1], rel=0.1)


def test_a_fresh_adapter_learns_preferences(create: Create) -> None:
    run = create("fresh", {"adapter": "lora", "epochs": 1, "batch_size": 8}, method="dpo")
    run.launch()
    assert finish(run).outcome == "succeeded"
    assert figures(run, "loss")[0] == pytest.approx(math.log(2), abs=1e-3)


def test_a_full_disk_is_named(create: Create, small_disk: Path) -> None:
    run = create("disk", FULL | {"checkpoint_every": 1}, root=small_disk)
    run.launch()
    error = finish(run).error
    assert error is not None
    assert error.code == "disk_full"


def test_too_little_memory_is_named(create: Create) -> None:
    run = create("memory", LORA, memory_limit_bytes=200_000_000)
    run.launch()
    error = finish(run).error
    assert error is not None
    assert error.code == "out_of_memory"
    assert "batch_size" in (error.hint or "")


def test_a_library_that_dies_of_memory_is_not_asked_again(create: Create) -> None:
    run = create("abort", LORA)
    (run.path / "log.txt").write_text("terminate called after 'std::bad_alloc'\n")
    run.launch()
    error = finish(run).error
    assert error is not None
    assert error.code == "out_of_memory"


def test_a_loss_that_is_no_number_is_named(create: Create, broken_model: Path) -> None:
    run = create("diverged", FULL, model=str(broken_model))
    run.launch()
    error = finish(run).error
    assert error is not None
    assert error.code == "diverged"


def test_an_unknown_base_model_is_named(create: Create, tmp_path: Path) -> None:
    run = create("unknown", {}, model=str(tmp_path / "nothing"))
    run.launch()
    error = finish(run).error
    assert error is not None
    assert error.code == "base_model_unavailable"
    assert "Traceback" not in error.message


def finish(run: RunFolder) -> RunResult:
    """The result, once the trainer has ended; its log where it left none."""
    wait_until(lambda: not run.is_running())
    result = run.result()
    assert result is not None, (run.path / "log.txt").read_text()[-3000:]
    return result


def wait_for(run: RunFolder, wanted: Callable[[AnyEvent], bool]) -> None:
    wait_until(lambda: any(map(wanted, all_events(run))) or not run.is_running())


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)


def all_events(run: RunFolder) -> list[AnyEvent]:
    return run.read_events(limit=100_000)[0]


def at_step(event: AnyEvent, step: int) -> bool:
    return isinstance(event, MetricsEvent) and event.step >= step


def figures(run: RunFolder, name: str) -> list[float]:
    return [event.values[name] for event in all_events(run) if isinstance(event, MetricsEvent)]


def notices(run: RunFolder) -> list[str]:
    return [event.message for event in all_events(run) if isinstance(event, NoticeEvent)]


def whole_checkpoints(run: RunFolder) -> list[Path]:
    markers = (run.path / "checkpoints").glob("checkpoint-*/complete.json")
    return sorted((marker.parent for marker in markers), key=lambda path: path.name)


def tear(checkpoint: Path) -> None:
    weights = checkpoint / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
