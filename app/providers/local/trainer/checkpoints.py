"""Checkpoints that count only when they are whole: a marker with every file's size goes last."""

import re
import shutil
from pathlib import Path

import msgspec

from app.providers.local.durable import sync_tree, write_durably

MARKER = "complete.json"
KEPT = 2
_NAME = re.compile(r"checkpoint-(\d+)")


def mark_complete(checkpoint: Path) -> None:
    """Bring a checkpoint's files to the disk and then say that they are all there."""
    sync_tree(checkpoint)
    write_durably(checkpoint / MARKER, msgspec.json.encode({"files": _sizes(checkpoint)}))


def last_whole(checkpoints: Path) -> Path | None:
    """The latest whole checkpoint; torn ones are removed first."""
    remove_torn(checkpoints)
    return next(iter(_newest_first(checkpoints)), None)


def remove_torn(checkpoints: Path) -> None:
    """Free the room of checkpoints that a crash or a full disk left unfinished."""
    for checkpoint in _newest_first(checkpoints):
        if not _is_whole(checkpoint):
            shutil.rmtree(checkpoint)


def remove_older(checkpoints: Path) -> None:
    """Keep the last two: the one before the last is what a bad disk leaves to go on from."""
    for checkpoint in _newest_first(checkpoints)[KEPT:]:
        shutil.rmtree(checkpoint)


def step_of(checkpoint: Path) -> int:
    """The step after which a checkpoint was written."""
    return int(checkpoint.name.rpartition("-")[2])


def _is_whole(checkpoint: Path) -> bool:
    try:
        marker = msgspec.json.decode((checkpoint / MARKER).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return False
    return marker["files"] == _sizes(checkpoint)


def _sizes(checkpoint: Path) -> dict[str, int]:
    return {
        str(path.relative_to(checkpoint)): path.stat().st_size
        for path in sorted(checkpoint.rglob("*"))
        if path.is_file() and path.name != MARKER
    }


def _newest_first(checkpoints: Path) -> list[Path]:
    found = [path for path in checkpoints.glob("checkpoint-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=step_of, reverse=True)
