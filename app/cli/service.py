"""Processes of one's own for as long as a demonstration lasts: a service, a simulated vendor."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from app.cli.console import fail
from app.cli.polling import until
from app.cli.remote import Refused, Remote, connected, explained

START_SECONDS = 120.0


@dataclass(frozen=True)
class Running:
    """A process that answers, and how to speak to it."""

    remote: Remote
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return str(self.remote.http.base_url).rstrip("/")


@contextmanager
def running_service(
    data_dir: Path, settings: Mapping[str, str] | None = None
) -> Generator[Running]:
    """`luthier serve` with these settings alone, ended with the block."""
    data_dir.mkdir(parents=True, exist_ok=True)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LUTHIER_")
    } | {"LUTHIER_DATA_DIR": str(data_dir), "LUTHIER_DRAIN_SECONDS": "0", **(settings or {})}
    path = data_dir / "service.log"
    otherwise = f"The service did not start; its last words are in {path}."
    with (
        path.open("ab") as log,
        running(
            ["serve"], ready="/readyz", otherwise=otherwise, environment=environment, log=log
        ) as service,
    ):
        yield service


@contextmanager
def running(
    words: Sequence[str],
    *,
    ready: str,
    otherwise: str,
    environment: Mapping[str, str] | None = None,
    log: IO[bytes] | None = None,
) -> Generator[Running]:
    """`luthier` with these words on a free port, from its first answer at `ready` to the end.

    What does not start ends the command with the words of `otherwise`.
    """
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words, "--port", str(port)],
        env=environment,
        stdout=log or subprocess.DEVNULL,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with explained(url, as_json=False), connected(url, None) as http:
            if not _comes_up(http, ready, process):
                fail(otherwise)
            yield Running(Remote(http, as_json=False), process)
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _comes_up(http: httpx.Client, path: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether the path answered well before the process died or the time was up."""
    deadline = time.monotonic() + START_SECONDS

    def is_over(is_up: bool) -> bool:
        return is_up or process.poll() is not None or time.monotonic() > deadline

    return until(is_over, lambda: _answers(http, path))


def _answers(http: httpx.Client, path: str) -> bool:
    try:
        http.get(path)
    except (Refused, httpx.TransportError):
        return False
    return True
