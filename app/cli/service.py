"""A service of one's own for as long as a demonstration lasts, and what its jobs look like."""

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
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.console import fail, out

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


def watch(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """A bar that moves with the job; each request waits for a change instead of polling."""
    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=40),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as bar:
        shown = bar.add_task("queued", total=100, said="")
        etag = ""
        while job["status"] not in ("succeeded", "failed", "cancelled"):
            response = client.get(
                f"/jobs/{job['id']}", params={"wait": 20}, headers={"If-None-Match": etag}
            )
            if response.status_code == 304:
                continue
            job, etag = checked(response), response.headers["etag"]
            percent = (job["progress"] or {}).get("percent", 0)
            bar.update(shown, completed=percent, description=job["status"], said=_said(job))
    return job


def _said(job: dict[str, Any]) -> str:
    progress, metrics = job["progress"] or {}, job["metrics"]
    parts = [
        f"step {progress['step']}/{progress['total_steps']}" if progress.get("step") else None,
        f"loss {metrics['loss']:.3f}" if "loss" in metrics else None,
        f"{metrics['tokens_per_second']:.0f} tokens/s" if "tokens_per_second" in metrics else None,
    ]
    remote = (job["remote"] or {}).get("status")
    return "  ".join(part for part in parts if part) or remote or ""
