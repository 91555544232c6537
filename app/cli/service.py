"""A service of one's own for as long as a demonstration lasts."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.cli.console import fail

START_SECONDS = 30.0


@contextmanager
def running_service(
    data_dir: Path, settings: Mapping[str, str] | None = None
) -> Generator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """`luthier serve` on a free port with these settings alone, ended with the block."""
    data_dir.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = data_dir / "service.log"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LUTHIER_")
    } | {"LUTHIER_DATA_DIR": str(data_dir), **(settings or {})}
    with log.open("ab") as sink:
        service = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", str(port)],
            env=environment,
            stdout=sink,
            stderr=sink,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            if not wait_until_up(client, service, "/readyz"):
                fail(f"The service did not start; its last words are in {log}.")
            yield client, service
    finally:
        service.terminate()
        service.wait()


def wait_until_up(client: httpx.Client, process: subprocess.Popen[bytes], path: str) -> bool:
    """Whether the path answered well before the process died or the time was up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get(path).is_success:
                return True
        except httpx.TransportError:
            time.sleep(0.1)
    return False


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def checked(response: httpx.Response) -> dict[str, Any]:
    """The answer's body; a refusal ends the command with its words."""
    if response.is_error:
        fail(f"{response.request.method} {response.request.url.path}: {response.text}")
    return response.json()


def base_url(client: httpx.Client) -> str:
    """Where the service is, without a slash at the end."""
    return str(client.base_url).rstrip("/")
