"""The run folder as the service sees it."""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.providers.local.records import MetricsEvent, NoticeEvent
from app.providers.local.runs import NothingToRun, RunFolder, RunSpec

SPEC = RunSpec(key="job-1", base_model="tiny", model="/tiny", method="sft")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text('{"messages": []}\n')
    return path


@pytest.fixture
def run(tmp_path: Path, data: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", SPEC, data)


@pytest.fixture
def held_lock(run: RunFolder) -> Iterator[int]:
    """The run's lock, held as a living trainer holds it."""
    descriptor = os.open(run.path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def test_a_run_is_created_once(run: RunFolder, data: Path) -> None:
    with pytest.raises(FileExistsError):
        RunFolder.create(run.path.parent, SPEC, data)
    assert run.exists()
    assert run.spec() == SPEC
    assert [path.name for path in run.path.parent.iterdir()] == ["job-1"]


def test_only_the_latest_stage_can_commit(tmp_path: Path) -> None:
    stale, latest = RunFolder.stage(tmp_path, "job-1"), RunFolder.stage(tmp_path, "job-1")
    neighbour = RunFolder.stage(tmp_path, "job")
    (latest / "train.jsonl").touch()
    with pytest.raises(FileNotFoundError):
        RunFolder.commit(stale, SPEC)
    assert RunFolder.commit(latest, SPEC).path == tmp_path / "job-1"
    assert neighbour.is_dir()


@pytest.mark.parametrize("key", ["", "../up", "A", "a" * 64])
def test_a_key_is_a_plain_name(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        RunFolder.stage(tmp_path, key)


def test_a_run_without_a_trainer_tells_nothing(run: RunFolder) -> None:
    assert not run.is_running()
    assert (run.result(), run.process(), run.last_heartbeat_ms()) == (None, None, None)
    assert (run.launches(), run.wall_seconds(), run.read_events()) == (0, 0, ([], 0))
    assert not run.terminate()


def test_a_held_lock_is_a_living_trainer(run: RunFolder, held_lock: int) -> None:
    assert run.is_running()
    fcntl.flock(held_lock, fcntl.LOCK_UN)
    assert not run.is_running()


@pytest.mark.usefixtures("held_lock")
def test_a_record_of_an_earlier_launch_is_never_signalled(run: RunFolder) -> None:
    (run.path / "launches").mkdir()
    (run.path / "launches" / "1").touch()
    (run.path / "launches" / "2").touch()
    record = {"pid": os.getpid(), "started_at_ms": 0, "launch": 1}
    (run.path / "process.json").write_text(json.dumps(record))
    assert not run.kill()


def test_events_are_read_in_pieces_and_a_torn_one_is_left(run: RunFolder) -> None:
    lines = [f'{{"kind":"notice","at":{n},"level":"info","message":"n"}}\n' for n in range(3)]
    (run.path / "events.jsonl").write_text("".join(lines) + '{"kind":"not')
    first, offset = run.read_events(limit=2)
    rest, end = run.read_events(offset)
    assert [event.at for event in first + rest] == [0, 1, 2]
    assert all(isinstance(event, NoticeEvent) for event in first)
    assert run.read_events(end) == ([], end)


def test_an_unreadable_line_is_passed_over(run: RunFolder) -> None:
    metrics = MetricsEvent(
        at=1, step=1, total_steps=2, epoch=0.5, eta_seconds=None, values={"loss": 1.0}
    )
    line = (
        '{"kind":"metrics","at":1,"step":1,"total_steps":2,"epoch":0.5,'
        '"eta_seconds":null,"values":{"loss":1.0}}\n'
    )
    (run.path / "events.jsonl").write_text("\0\0\0\n" + line)
    assert run.read_events()[0] == [metrics]


def test_a_cancelled_run_is_never_launched(run: RunFolder) -> None:
    run.request_cancel()
    with pytest.raises(NothingToRun):
        run.launch()
    assert run.launches() == 0


def test_a_trainer_that_ended_leaves_no_zombie(run: RunFolder) -> None:
    (run.path / "log.txt").write_text("std::bad_alloc")  # ends it before the heavy libraries
    process = psutil.Process(run.launch())
    process.wait()
    result = run.result()
    assert result is not None
    assert result.outcome == "failed"
    assert run.launches() == 1
    assert not process.is_running()
