"""What the trainer writes about itself: events as they happen, and room for the last word."""

import errno
import os
import time
from pathlib import Path
from typing import Literal

import msgspec

from app.providers.local.durable import write_durably
from app.providers.local.records import (
    AnyEvent,
    CheckpointEvent,
    MetricsEvent,
    NoticeEvent,
    PhaseEvent,
    RunResult,
)

RESERVE_BYTES = 1 << 20
_RESERVE = "reserve"
Phase = Literal["starting", "loading", "preparing", "training", "saving", "probing"]
Level = Literal["info", "warning", "error"]


class Journal:
    """Appends to a run's events.jsonl; a torn last line of an earlier trainer is cut off."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._events = os.open(folder / "events.jsonl", os.O_RDWR | os.O_CREAT, 0o644)
        self._end = _whole_length(folder / "events.jsonl")
        os.ftruncate(self._events, self._end)
        _reserve(folder / _RESERVE)

    def phase(self, phase: Phase, message: str | None = None) -> None:
        self._append(PhaseEvent(at=_now_ms(), phase=phase, message=message))

    def notice(self, level: Level, message: str) -> None:
        self._append(NoticeEvent(at=_now_ms(), level=level, message=message))

    def checkpoint(self, step: int, path: Path) -> None:
        relative = str(path.relative_to(self._folder))
        self._append(CheckpointEvent(at=_now_ms(), step=step, path=relative))

    def metrics(
        self,
        values: dict[str, float],
        *,
        step: int,
        total_steps: int,
        epoch: float,
        eta_seconds: float | None,
    ) -> None:
        self._append(
            MetricsEvent(
                at=_now_ms(),
                step=step,
                total_steps=total_steps,
                epoch=epoch,
                eta_seconds=eta_seconds,
                values=values,
            )
        )

    def _append(self, event: AnyEvent) -> None:
        line = msgspec.json.encode(event) + b"\n"
        written = os.pwrite(self._events, line, self._end)
        if written < len(line):
            os.ftruncate(self._events, self._end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += written


def write_result(folder: Path, result: RunResult) -> None:
    """Write the last word, on a full disk too: the journal's reserve is given up for it."""
    (folder / _RESERVE).unlink(missing_ok=True)
    write_durably(folder / "result.json", msgspec.json.encode(result))


def _reserve(path: Path) -> None:
    """Take room on the disk that can be given back when there is none left."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def _whole_length(path: Path) -> int:
    """The length up to the last newline, looking back from the end in steps."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
