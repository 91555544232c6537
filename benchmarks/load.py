"""Many open jobs on one PostgreSQL: what the observe chore gets through, and who waits meanwhile.

    python -m benchmarks.load [--jobs 100000] [--seconds 10] [--workers 1 4] [--watchers 1000]

Side by side in one run: the claim statement alone and the whole cycle (claim, fenced write) with as
little Python as there can be, and the service's own chore over a provider that answers at once.
While the most workers are busy, two clients ask `GET /jobs/{id}`; then many watch a job's events
each. The figures to quote are the ratios.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks import ceiling
from benchmarks.api import SIMULATED, free_port, get, load, server
from benchmarks.watchers import Delays, watch
from tests import databases

SEED = """
INSERT INTO jobs (
    id, project_id, provider, base_model, dataset, method, seed, tags, status, desired, metrics,
    remote, attempt, attempts, failures, revision, event_count, created_at, started_at, next_at,
    epoch, accidents, cost
)
SELECT 'job_' || lpad(n::text, 12, '0'), 'default', 'simulated', 'sim-base',
    '{"id": "ds_1", "name": "echo", "version": 1}', '{"type": "sft", "hyperparameters": {}}', 1,
    '{}', 'running', 'run', '{}', json_build_object('id', 'remote-' || n, 'status', 'running'), 1,
    '[]', 0, 1, 0, 1, 1, 1, 0, 0, '{}'
FROM generate_series(1, %s) AS n
"""


@contextmanager
def crowd(postgres: str, jobs: int) -> Generator[str]:
    """The URL of a migrated database with so many running jobs, all due."""
    url = databases.named(postgres, databases.TEMPLATE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM jobs")
        connection.execute(SEED, (jobs,))
        connection.execute("VACUUM ANALYZE jobs")
    yield url


def chore(url: str, *, workers: int, seconds: float) -> float:
    """Jobs a second that so many processes observe and write."""
    processes = start_workers(url, workers=workers, seconds=seconds)
    return sum(_per_second(process) for process in processes)


def start_workers(url: str, *, workers: int, seconds: float) -> list[subprocess.Popen[str]]:
    """Processes that work for so long."""
    command = [sys.executable, "-m", "benchmarks.observing", url, str(seconds)]
    return [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_simulated())
        for _ in range(workers)
    ]


def _per_second(process: subprocess.Popen[str]) -> float:
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("a worker broke")
    return float(said)


def _simulated() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(SIMULATED), os.getcwd()])}


@contextmanager
def service(url: str) -> Generator[int]:
    """The port of a service on the database, its reconciler at rest."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "LUTHIER_DATA_DIR": folder,
            "LUTHIER_DATABASE_URL": url,
            "LUTHIER_PROVIDERS__SIMULATED__FOLDER": f"{folder}/vendor",
            "PYTHONPATH": str(SIMULATED),
        }
        command = [sys.executable, "-m", "app", "serve", "--no-reconciler", "--port", str(port)]
        with server(command, port, "/readyz", **environment):
            yield port


def reading_under_load(url: str, *, workers: int, seconds: float) -> tuple[float, float, float]:
    """Milliseconds of a GET at the median and the 99th percentile, and jobs a second meanwhile."""
    with service(url) as port:
        processes = start_workers(url, workers=workers, seconds=seconds + 4)
        time.sleep(3)
        read = get("/jobs/job_000000000001")
        figure = asyncio.run(load(port, read, seconds=seconds, clients=2))
        done = sum(_per_second(process) for process in processes)
    return figure.p50_ms, figure.p99_ms, done


def watching(url: str, *, watchers: int, seconds: float) -> Delays:
    """So many event streams on one service while another process tells of their job."""
    with service(url) as port:
        return asyncio.run(watch(url, port, watchers=watchers, seconds=int(seconds)))


def figures(postgres: str, asked: argparse.Namespace) -> None:
    """Print one table."""
    print(f"{asked.jobs:,} open jobs, all due; load {os.getloadavg()[0]:.1f} before the run\n")
    print("| workers | claims alone/s | full cycle/s | the chore/s | of the full cycle |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for workers in asked.workers:
        rates: list[float] = []
        for measure in (ceiling.claims, ceiling.cycles, chore):
            with crowd(postgres, asked.jobs) as url:
                rates.append(measure(url, workers=workers, seconds=asked.seconds))
        row = " | ".join(f"{rate:,.0f}" for rate in rates)
        print(f"| {workers} | {row} | {rates[2] / rates[1]:.2f} |", flush=True)
    with crowd(postgres, asked.jobs) as url:
        most = max(asked.workers)
        p50, p99, done = reading_under_load(url, workers=most, seconds=asked.seconds)
        print(f"\nGET /jobs/{{id}} beside {most} workers ({done:,.0f} jobs/s): ", end="")
        print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", flush=True)
        _show(asked.watchers, watching(url, watchers=asked.watchers, seconds=asked.seconds))
    print(f"load {os.getloadavg()[0]:.1f} after the run")


def _show(watchers: int, found: Delays) -> None:
    cuts = statistics.quantiles(found.millis, n=100)
    print(
        f"{watchers:,} event streams, one in ten with an event each second: p50 {cuts[49]:.0f} ms, "
        f"p99 {cuts[98]:.0f} ms from the write; {found.lost} events lost; "
        f"{found.bytes_each / 1024:.0f} KiB each"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--watchers", type=int, default=1000)
    asked = parser.parse_args(arguments)
    os.chdir(Path(__file__).parents[1])
    with databases.postgres_server() as postgres:
        databases.prepare_template(postgres)
        figures(postgres, asked)


if __name__ == "__main__":
    main()
