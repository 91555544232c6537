"""The stage of this machine: real trainers, held and let go by signals."""

import fcntl
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from app.domain.jobs import Remote
from app.domain.provider import Connection, Provider
from app.providers.local import SPEC, LocalOptions
from app.providers.local.durable import write_durably
from app.providers.local.records import MetricsEvent, RunError, RunResult
from app.providers.local.runs import RunFolder

LOOK_AGAIN_SECONDS = 0.01


class LocalStage:
    """This machine, with room for two trainings, whose trainers stand still between two orders."""

    base_model = "luthier-tiny"
    learns = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder / "local" / "runs"
        self.provider = self.connect()

    def connect(self) -> Provider:
        options = LocalOptions(threads=1, max_parallel_runs=2)
        return SPEC.connect(Connection("local", options, str(self._folder)))

    def begin(self, remote: Remote) -> None:
        run = self._run(remote)
        before = _points(run)
        _send(run, signal.SIGCONT)
        _until(lambda: _points(run) > before or not run.is_running())
        _send(run, signal.SIGSTOP)

    def finish(self, remote: Remote) -> None:
        run = self._run(remote)
        _send(run, signal.SIGCONT)
        _wait_for_the_end(run)

    def fail(self, remote: Remote) -> None:
        """As a trainer does that gives up: its last word is how it ended."""
        run = self._run(remote)
        _end(run)
        error = RunError(code="training_failed", message="It failed.")
        result = RunResult(outcome="failed", error=error)
        write_durably(run.path / "result.json", msgspec.json.encode(result))

    def creations(self, key: str) -> int:
        return int(RunFolder(self._root / key).exists())

    def writes(self) -> int:
        return sum(run.launches() for run in self._runs())

    def end(self) -> None:
        """No trainer outlives the stage."""
        for run in self._runs():
            run.request_cancel()
            _end(run)

    def _run(self, remote: Remote) -> RunFolder:
        return RunFolder(self._root / remote.id)

    def _runs(self) -> list[RunFolder]:
        return [RunFolder(path) for path in self._root.glob("[!.]*")]


@asynccontextmanager
async def local_stage(folder: Path) -> AsyncGenerator[LocalStage]:
    """This machine, in a folder of its own."""
    stage = LocalStage(folder)
    yield stage
    await stage.provider.close()
    stage.end()


def _points(run: RunFolder) -> int:
    """How many steps were told until now."""
    told, _ = run.read_events(limit=10_000)
    return sum(isinstance(event, MetricsEvent) for event in told)


def _end(run: RunFolder) -> None:
    """Kill the trainer once it can be named, and see it gone."""
    _until(lambda: run.process() is not None or not run.is_running())
    run.kill()
    _wait_for_the_end(run)


def _send(run: RunFolder, number: signal.Signals) -> None:
    process = run.process()
    if process is not None and run.is_running():
        os.killpg(process.pid, number)


def _wait_for_the_end(run: RunFolder) -> None:
    """The trainer holds its run's lock for as long as it lives."""
    with (run.path / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(LOOK_AGAIN_SECONDS)
