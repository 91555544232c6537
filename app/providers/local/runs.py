"""The run folder: the one truth about a training run, shared by the service and its trainer."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TypeVar

import msgspec

from app.providers.local.children import environment
from app.providers.local.durable import sync_folder, sync_tree, write_durably
from app.providers.local.records import AnyEvent, ProcessRecord, RunResult, RunSpec

TRAIN_FILE = "train.jsonl"
VALIDATION_FILE = "validation.jsonl"
_KEY = re.compile(r"[a-z0-9-]{1,63}")
# A probe of the lock holds it for microseconds, so a launch that meets one tries again.
_LOCK_TRIES = 20
_LOCK_PAUSE_SECONDS = 0.01
_Record = TypeVar("_Record", bound=msgspec.Struct)


class AlreadyRunning(Exception):
    """Another trainer holds the lock of this run."""


class NothingToRun(Exception):
    """The run has ended, or was cancelled before it could end."""


class RunFolder:
    """One run's folder; `RunFolder(path)` neither reads nor creates anything."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def stage(cls, root: Path, key: str) -> Path:
        """A new, empty folder beside the final one, for the data files and then `commit`.

        What an earlier stage of the same key left is removed, so that only the latest can commit.
        """
        if not _KEY.fullmatch(key):
            raise ValueError(f"A run's key is 1 to 63 of a-z, 0-9 and '-', not {key!r}.")
        root.mkdir(parents=True, exist_ok=True)
        for stale in root.glob(f".staging.{key}.*"):
            shutil.rmtree(stale, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f".staging.{key}.", dir=root))

    @classmethod
    def commit(cls, staging: Path, spec: RunSpec) -> "RunFolder":
        """Give the staged folder its final name in one step.

        Raises FileExistsError when the run exists already, FileNotFoundError when the staging
        folder is gone or lacks the training file.
        """
        if not (staging / TRAIN_FILE).is_file():
            raise FileNotFoundError(f"{staging} holds no {TRAIN_FILE}.")
        write_durably(staging / "spec.json", msgspec.json.encode(spec))
        sync_tree(staging)
        final = staging.parent / spec.key
        try:
            os.rename(staging, final)
        except OSError as error:
            if not final.is_dir():
                raise
            raise FileExistsError(f"The run {spec.key} exists already.") from error
        sync_folder(final.parent)
        return cls(final)

    @classmethod
    def create(
        cls, root: Path, spec: RunSpec, train: Path, validation: Path | None = None
    ) -> "RunFolder":
        """Stage copies of the data files and commit; FileExistsError when the run exists."""
        staging = cls.stage(root, spec.key)
        shutil.copyfile(train, staging / TRAIN_FILE)
        if validation is not None:
            shutil.copyfile(validation, staging / VALIDATION_FILE)
        try:
            return cls.commit(staging, spec)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def exists(self) -> bool:
        """Whether the run was committed."""
        return (self.path / "spec.json").is_file()

    def spec(self) -> RunSpec:
        """What to run; FileNotFoundError when there is no such run."""
        return msgspec.json.decode((self.path / "spec.json").read_bytes(), type=RunSpec)

    def launch(self) -> int:
        """Start the trainer, which goes on from the last whole checkpoint, and return its pid.

        Raises AlreadyRunning while a trainer lives, NothingToRun when the run has a result or a
        request to cancel it. The trainer outlives this process and is reaped while it lives on.
        """
        lock = self._take_lock()
        try:
            if self.result() is not None or self.cancel_requested():
                raise NothingToRun(f"The run {self.path.name} is over.")
            self._mark_launch()
            return _spawn(self.path, lock)
        finally:
            os.close(lock)

    def is_running(self) -> bool:
        """Whether a trainer holds the lock; without one and without a result, it has died."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(lock)
        finally:
            os.close(lock)

    def result(self) -> RunResult | None:
        """How the run ended, or None while it has not."""
        return _read(self.path / "result.json", RunResult)

    def process(self) -> ProcessRecord | None:
        """The trainer of the latest launch that got so far as to introduce itself."""
        return _read(self.path / "process.json", ProcessRecord)

    def launches(self) -> int:
        """How often a trainer was started; counted before the start, so that no crash is missed."""
        return sum(1 for _ in (self.path / "launches").glob("[0-9]*"))

    def wall_seconds(self) -> float:
        """How long trainers worked on the run: each launch from its start to its last sign of life.

        A launch's file holds when it was started; its heart beats on the file's own time.
        """
        markers = (self.path / "launches").glob("[0-9]*")
        lives = (path.stat().st_mtime_ns - int(path.read_bytes()) for path in markers)
        return sum(max(0, life) for life in lives) / 1e9

    def last_heartbeat_ms(self) -> int | None:
        """When the trainer last showed life (milliseconds since the epoch); every 5 s it should."""
        try:
            return (self.path / "heartbeat").stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None

    def request_cancel(self) -> None:
        """Make sure that the run is never launched again; `terminate` then stops the trainer."""
        if not self.cancel_requested():
            wish = {"requested_at_ms": time.time_ns() // 1_000_000}
            write_durably(self.path / "cancel.json", msgspec.json.encode(wish))

    def cancel_requested(self) -> bool:
        """Whether a cancel was asked for, by whichever process."""
        return (self.path / "cancel.json").is_file()

    def terminate(self) -> bool:
        """Ask the trainer to save a checkpoint and stop; False when there is none to ask yet."""
        return self._signal(signal.SIGTERM)

    def kill(self) -> bool:
        """End the trainer's process group at once; False when there is none to end (yet)."""
        return self._signal(signal.SIGKILL)

    def read_events(self, offset: int = 0, limit: int = 500) -> tuple[list[AnyEvent], int]:
        """Up to `limit` events from byte `offset` on, and the offset to go on from.

        A last line that is still being written is left for the next call.
        """
        events: list[AnyEvent] = []
        try:
            file = (self.path / "events.jsonl").open("rb")
        except FileNotFoundError:
            return events, offset
        with file:
            file.seek(offset)
            for line in file:
                if len(events) == limit or not line.endswith(b"\n"):
                    break
                offset += len(line)
                events.extend(_decode_event(line))
        return events, offset

    def _take_lock(self) -> int:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for _ in range(_LOCK_TRIES):
            if _try_lock(lock):
                return lock
            time.sleep(_LOCK_PAUSE_SECONDS)
        os.close(lock)
        raise AlreadyRunning(f"The run {self.path.name} has a trainer already.")

    def _mark_launch(self) -> None:
        launches = self.path / "launches"
        launches.mkdir(exist_ok=True)
        write_durably(launches / str(self.launches() + 1), str(time.time_ns()).encode())

    def _signal(self, number: signal.Signals) -> bool:
        process = self.process()
        # The lock says that a trainer lives, the launch number that this record is its own and
        # not one of an earlier trainer whose pid may belong to a stranger by now.
        if process is None or process.launch != self.launches() or not self.is_running():
            return False
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return False
        return True


def _spawn(folder: Path, lock: int) -> int:
    command = [sys.executable, "-P", "-m", "app.providers.local.trainer", str(folder.resolve())]
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [*command, str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment(),
            pass_fds=(lock,),
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return process.pid


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path, kind: type[_Record]) -> _Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None


def _decode_event(line: bytes) -> list[AnyEvent]:
    """One event, or none for a line that a power cut left unreadable."""
    try:
        return [msgspec.json.decode(line, type=AnyEvent)]
    except msgspec.DecodeError:
        return []
