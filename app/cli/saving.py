"""Answers that are files: to stdout, or under a name once they are whole."""

import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.cli.console import remark
from app.cli.remote import Remote

Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="The file to write, else stdout.")
]


def save(
    remote: Remote,
    path: str,
    asked: dict[str, Any],
    *,
    output: Path | None,
    accept: str = "*/*",
) -> None:
    """What the service answers, piece by piece, never whole in memory."""
    with remote.http.stream("GET", path, params=asked, headers={"Accept": accept}) as response:
        if output is None:
            _copy(response)
        else:
            _write(response, output)


def _copy(response: httpx.Response) -> None:
    for piece in response.iter_bytes():
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _write(response: httpx.Response, path: Path) -> None:
    """Under its name only once it is whole."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            for piece in response.iter_bytes():
                file.write(piece)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    remark(f"{path}: {path.stat().st_size} bytes")
