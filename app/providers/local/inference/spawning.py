"""Starting a worker and waiting until somebody serves the socket."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from app.providers.local.children import environment
from app.providers.local.inference.address import log_path, owner
from app.providers.local.inference.errors import InferenceUnavailable

_LOOK_SECONDS = 0.1
_LOG_LINES = 20
_LOG_BYTES = 1_000_000  # a longer log is begun anew


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """How to start the worker of one socket."""

    socket: Path
    idle_seconds: float
    threads: int | None = None
    max_models: int = 4

    def arguments(self) -> list[str]:
        """The command line, for the interpreter and the environment that run now."""
        options = ["--socket", str(self.socket), "--idle-seconds", str(self.idle_seconds)]
        options += ["--max-models", str(self.max_models)]
        if self.threads is not None:
            options += ["--threads", str(self.threads)]
        return [sys.executable, "-P", "-m", "app.providers.local.inference", *options]


async def start_worker(
    command: WorkerCommand, answers: Callable[[], Awaitable[bool]], *, deadline_seconds: float
) -> None:
    """Return once `answers()` is true, starting workers until one of them, or another's, serves.

    A worker that finds the socket taken leaves with 0; the one that holds it may be about to end,
    so another is started once it has. Raises InferenceUnavailable, with the log's last lines, when
    a worker fails or the deadline passes.
    """
    log = log_path(command.socket)
    deadline = time.monotonic() + deadline_seconds
    process: subprocess.Popen[bytes] | None = None
    begin = 0
    while not await answers():
        code = process.poll() if process else 0
        if code:
            raise InferenceUnavailable(
                f"The inference worker failed with {code}. {log} ends:\n{_tail(log, begin)}"
            )
        if time.monotonic() > deadline:
            raise InferenceUnavailable(
                f"No inference worker serves {command.socket} after {deadline_seconds:g} s. "
                f"{log} ends:\n{_tail(log, begin)}"
            )
        if code == 0 and owner(command.socket) is None:
            process, begin = await _spawned(command, log)
        await asyncio.sleep(_LOOK_SECONDS)


async def _spawned(command: WorkerCommand, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    try:
        return await asyncio.to_thread(_spawn, command, log)
    except OSError as error:
        raise InferenceUnavailable(f"The inference worker cannot be started: {error}") from error


def _spawn(command: WorkerCommand, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """The process, and where in the log its own lines begin."""
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.unlink()
    with log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(
            command.arguments(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=command.socket.parent,
            env=environment(),
            start_new_session=True,
        )
    # The worker outlives many calls and may outlive this process; who started it must reap it.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return process, begin


def _tail(log: Path, begin: int) -> str:
    if not log.exists():
        return ""
    written = log.read_bytes()[begin:].decode(errors="replace")
    return "\n".join(written.splitlines()[-_LOG_LINES:])
