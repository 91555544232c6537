"""GET and POST of jobs against a bare route that answers a constant, side by side in one run.

    python -m benchmarks.api [--seconds 5] [--clients 32]

Each server runs in a process of its own, pinned to one processor where the machine has two; the
clients run on the other. The figures to quote are the ratios.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import databases

BARE = """
import uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/bare")
async def bare() -> dict[str, str]:
    return {"status": "ok"}
uvicorn.run(app, port={port}, log_config=None, access_log=False)
"""

SIMULATED = Path(__file__).parents[1] / "tests" / "simulated"


@dataclass(frozen=True)
class Figure:
    """What one load of one route gave."""

    per_second: float
    p50_ms: float
    p99_ms: float
    first_ms: float
    """Until the answer's first piece, in the median."""


class Raw(asyncio.Protocol):
    """One connection that asks the same thing again and again: a client that costs little."""

    def __init__(self, request: Callable[[], bytes], stop_at: float) -> None:
        self._request = request
        self._stop_at = stop_at
        self.waits: list[float] = []
        self.firsts: list[float] = []
        self._buffer = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if body and len(self.firsts) == len(self.waits):
            self.firsts.append(time.perf_counter() - self._sent)
        if not found or not _is_whole(head.lower(), body):
            return
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            self.done.set_exception(RuntimeError(self._buffer[:500].decode()))
            return
        self._buffer = b""
        now = time.perf_counter()
        self.waits.append(now - self._sent)
        if now >= self._stop_at:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request())


def _is_whole(head: bytes, body: bytes) -> bool:
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    start = head.index(b"content-length:") + 15
    return len(body) >= int(head[start:].split(b"\r\n", 1)[0])


async def load(port: int, request: Callable[[], bytes], *, seconds: float, clients: int) -> Figure:
    """Ask from so many connections at once for so long."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    connections = [
        await loop.create_connection(lambda: Raw(request, started + seconds), "127.0.0.1", port)
        for _ in range(clients)
    ]
    await asyncio.gather(*(connection.done for _, connection in connections))
    elapsed = time.perf_counter() - started
    waits = [wait for _, connection in connections for wait in connection.waits]
    firsts = [first for _, connection in connections for first in connection.firsts]
    cuts = statistics.quantiles(waits, n=100)
    return Figure(
        len(waits) / elapsed, cuts[49] * 1000, cuts[98] * 1000, statistics.median(firsts) * 1000
    )


def get(path: str) -> Callable[[], bytes]:
    """A GET that never changes."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return lambda: request


def post(path: str, body: bytes, *, key: str = "") -> Callable[[], bytes]:
    """A POST that never changes."""
    bearer = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{bearer}Content-Length: {len(body)}\r\n\r\n"
    )
    return lambda: head.encode() + body


@contextmanager
def server(
    command: list[str], port: int, path: str, **environment: str
) -> Generator[subprocess.Popen[bytes]]:
    """A server process on the first processor."""
    pin = ["taskset", "-c", "0"] if (os.cpu_count() or 1) > 1 else []
    process = subprocess.Popen([*pin, *command], env=os.environ | environment)
    try:
        for _ in range(200):
            try:
                if httpx.get(f"http://127.0.0.1:{port}{path}").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure_bare(*, seconds: float, clients: int) -> Figure:
    """The ceiling: FastAPI and uvicorn with nothing to do."""
    port = free_port()
    with server([sys.executable, "-c", BARE.replace("{port}", str(port))], port, "/bare"):
        return asyncio.run(load(port, get("/bare"), seconds=seconds, clients=clients))


def measure_luthier(url: str | None, *, seconds: float, clients: int) -> dict[str, Figure]:
    """The service on one database, its reconciler at rest."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "LUTHIER_DATA_DIR": folder,
            "PYTHONPATH": str(SIMULATED),
            "LUTHIER_PROVIDERS__SIMULATED__FOLDER": f"{folder}/vendor",
        }
        if url is not None:
            environment["LUTHIER_DATABASE_URL"] = url
        command = [sys.executable, "-m", "app", "serve", "--no-reconciler", "--port", str(port)]
        with (
            server(command, port, "/readyz", **environment),
            httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        ):
            rows = [{"prompt": f"p{n}", "completion": f"c{n}"} for n in range(20)]
            client.post("/datasets", json={"name": "bench", "examples": rows}).raise_for_status()
            wanted = b'{"provider":"simulated","base_model":"sim-base","dataset":"bench"}'
            job = client.post(
                "/jobs", content=wanted, headers={"content-type": "application/json"}
            ).raise_for_status()
            routes = {
                "GET /jobs/{id}": get(job.headers["location"]),
                "POST /jobs": post("/jobs", wanted),
            }
            return {
                name: asyncio.run(load(port, request, seconds=seconds, clients=clients))
                for name, request in routes.items()
            }


def show(name: str, figure: Figure, bare: Figure) -> None:
    """One line of the table."""
    print(
        f"| {name:<28} | {figure.per_second:>7.0f} | {figure.p50_ms:>6.2f} | {figure.p99_ms:>6.2f} "
        f"| {figure.per_second / bare.per_second:>5.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=32)
    asked = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    limits = {"seconds": asked.seconds, "clients": asked.clients}
    bare = measure_bare(**limits)
    print("| route                        |   req/s | p50 ms | p99 ms | ratio |")
    print("| ---------------------------- | ------: | -----: | -----: | ----: |")
    show("bare FastAPI route", bare, bare)
    for name, figure in measure_luthier(None, **limits).items():
        show(f"{name}, SQLite", figure, bare)
    with databases.postgres_server() as postgres:
        databases.prepare_template(postgres)
        url = databases.named(postgres, databases.TEMPLATE)
        for name, figure in measure_luthier(url, **limits).items():
            show(f"{name}, PostgreSQL", figure, bare)


if __name__ == "__main__":
    main()
