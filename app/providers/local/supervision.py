"""Watching over the runs of this machine: who runs, who died, who gets another trainer."""

import time
from pathlib import Path

import msgspec
import structlog

from app.domain.errors import Never
from app.domain.provider import Observation, RemoteState
from app.providers.local import translate
from app.providers.local.durable import write_durably
from app.providers.local.records import RunError, RunResult
from app.providers.local.runs import AlreadyRunning, NothingToRun, RunFolder

log = structlog.get_logger()

FRUITLESS_LAUNCHES = 3
"""Trainers in a row that may die without getting any further before the job fails."""

LOG_BYTES_AT_ONCE = 64 * 1024


class Runs:
    """All run folders under one root; every method may wait for the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ended: set[str] = set()

    def folder(self, key: str) -> RunFolder:
        """The folder of one run, whether it exists or not."""
        return RunFolder(self.root / key)

    def count_open(self) -> int:
        """Runs that have a trainer or will get one again."""
        if not self.root.is_dir():
            return 0
        names = {path.name for path in self.root.iterdir() if not path.name.startswith(".")}
        for name in names - self._ended:
            run = self.folder(name)
            is_over = run.result() is not None or run.cancel_requested()
            if is_over and not run.is_running():
                self._ended.add(name)
        return len(names - self._ended)

    def start(self, key: str) -> None:
        """Start a trainer; where that fails now, the next look tries again."""
        try:
            self.folder(key).launch()
        except (AlreadyRunning, NothingToRun):
            return
        except OSError as error:
            log.warning("trainer_not_started", run=key, problem=str(error))

    def look(self, key: str, cursor: translate.Cursor) -> Observation:
        """What a run's folder says by now; a trainer that died before its end is replaced."""
        run = self.folder(key)
        if not run.exists():
            raise Never(
                "The run's folder is gone.",
                code="run_lost",
                hint="Retry the job; keep the data directory on a disk that stays.",
            )
        # In this order: a trainer writes its result first and lets go of the lock afterwards.
        is_running = run.is_running()
        result = run.result()
        events, offset = run.read_events(cursor.offset)
        cursor = translate.advance(cursor, events, offset=offset, launches=run.launches())
        if events and run.read_events(offset, limit=1)[0]:
            return translate.observation(
                RemoteState.RUNNING, key, events, cursor, look_again_in=0.0
            )
        if result is not None and not is_running:
            state = translate.state_of(result)
            return translate.observation(state, key, events, cursor, result=result)
        if is_running:
            state = RemoteState.CANCELLING if run.cancel_requested() else RemoteState.RUNNING
            return translate.observation(state, key, events, cursor)
        if run.cancel_requested():
            return translate.observation(RemoteState.CANCELLED, key, events, cursor)
        launches = run.launches()
        if launches - cursor.launches_at_progress >= FRUITLESS_LAUNCHES:
            result = _give_up(run, launches, cursor.best_step)
            return translate.observation(RemoteState.FAILED, key, events, cursor, result=result)
        if launches:
            log.warning("trainer_died", run=run.path.name, launches=launches)
        self.start(key)
        return translate.observation(RemoteState.RUNNING, key, events, cursor)

    def cancel(self, key: str, *, grace_seconds: float) -> None:
        """SIGTERM first, so that a checkpoint is saved; SIGKILL once the grace is over."""
        run = self.folder(key)
        if not run.exists():
            return
        run.request_cancel()
        wished = (run.path / "cancel.json").stat().st_mtime
        if time.time() - wished > grace_seconds:
            run.kill()
        else:
            run.terminate()

    def read_log(self, key: str, offset: int) -> tuple[bytes, int]:
        """A piece of what the trainer and its libraries printed, and where to go on."""
        try:
            with (self.folder(key).path / "log.txt").open("rb") as file:
                file.seek(offset)
                piece = file.read(LOG_BYTES_AT_ONCE)
        except FileNotFoundError:
            return b"", offset
        return piece, offset + len(piece)


def _give_up(run: RunFolder, launches: int, step: int) -> RunResult:
    """End a run whose trainers keep dying at one place, so that its slot is free."""
    error = RunError(
        code="trainer_killed",
        message=f"The trainer was killed {launches} times and got no further than step {step}.",
        hint="Most often the machine ran out of memory: lower batch_size or max_length, "
        "or choose adapter lora. The job's logs have the last lines.",
    )
    result = RunResult(outcome="failed", error=error, wall_seconds=run.wall_seconds())
    write_durably(run.path / "result.json", msgspec.json.encode(result))
    return result
