"""The worker's life: one per socket, started when needed, gone when idle."""

import asyncio
import fcntl
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.providers.local.inference.address import ensure_private, lock_path, owner, socket_path
from app.providers.local.inference.client import InferenceWorker
from app.providers.local.inference.errors import InferenceUnavailable
from app.providers.local.inference.spawning import WorkerCommand

QUESTION: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Hello"}],
    "temperature": 0,
    "max_tokens": 3,
}


async def ended(socket: Path) -> None:
    """Wait until no process holds the socket's lock."""
    with lock_path(socket).open("rb") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def is_gone(path: Path) -> bool:
    return not path.exists()


async def test_a_killed_worker_is_replaced_at_the_next_call(
    worker: InferenceWorker, socket: Path, base: str
) -> None:
    before = await worker.chat(base, QUESTION)
    killed = (await worker.health())["pid"]
    os.kill(killed, signal.SIGKILL)
    await ended(socket)

    after = await worker.chat(base, QUESTION)

    assert after["choices"] == before["choices"]
    assert (await worker.health())["pid"] != killed


async def test_the_socket_is_private_and_a_second_worker_leaves_at_once(
    worker: InferenceWorker, socket: Path
) -> None:
    await worker.endpoint()

    second = await asyncio.to_thread(
        subprocess.run,
        WorkerCommand(socket, idle_seconds=60).arguments(),
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert second.returncode == 0
    assert f"another worker serves {socket}" in second.stderr
    assert mode(socket) == 0o600


async def test_an_idle_worker_ends_and_leaves_no_socket(tmp_path: Path) -> None:
    socket = tmp_path / "idle.sock"
    worker = InferenceWorker(socket, idle_seconds=0.2, threads=1)
    await worker.endpoint()

    await ended(socket)

    assert is_gone(socket)
    await worker.close()


async def test_a_worker_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    worker = InferenceWorker(tmp_path / f"{'too-long' * 12}.sock")

    with pytest.raises(InferenceUnavailable, match="AF_UNIX path too long"):
        await worker.chat("base:any", QUESTION)

    await worker.close()


def test_the_socket_of_a_data_folder_is_its_own_and_short() -> None:
    path = socket_path(Path("/data"))

    assert path == socket_path(Path("/data")) != socket_path(Path("/other"))
    assert len(path.name) == len("0123456789ab.sock")
    assert mode(path.parent) == 0o700


def test_a_folder_that_others_can_open_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with pytest.raises(InferenceUnavailable, match="mode 0700"):
        ensure_private(tmp_path)


async def test_stop_ends_the_worker(worker: InferenceWorker, socket: Path) -> None:
    await worker.endpoint()
    assert owner(socket) is not None

    await worker.stop()

    assert owner(socket) is None
    assert is_gone(socket)
