"""What PostgreSQL gives to statements with nothing around them: the ceiling of the observe chore.

python -m benchmarks.ceiling URL claims|cycles SECONDS     one process; prints jobs a second
"""

import subprocess
import sys
import time
from collections.abc import Callable

import psycopg

from app.reconciler.work import BATCH

# What was taken is due again at once, behind all others: the queue never runs dry.
CLAIM = f"""
WITH due AS (
    SELECT id FROM jobs
    WHERE provider = 'simulated' AND next_at <= (
        SELECT (extract(epoch from clock_timestamp()) * 1000)::bigint
    ) AND (desired = 'run' AND status IN ('running', 'cancelling')
        OR desired = 'pause' AND status IN ('paused', 'cancelling'))
    ORDER BY next_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
UPDATE jobs SET lease_owner = 'me', epoch = epoch + 1,
    next_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
WHERE id IN (SELECT id FROM due) RETURNING id, epoch
""".encode()

WRITE = b"""
UPDATE jobs SET lease_owner = NULL, observed_at = 1,
    next_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
WHERE id = %s AND epoch = %s
"""


def claims(url: str, *, workers: int, seconds: float) -> float:
    """Jobs a second that so many processes claim."""
    return _together(url, "claims", workers=workers, seconds=seconds)


def cycles(url: str, *, workers: int, seconds: float) -> float:
    """Jobs a second that so many processes claim and write, all that were claimed at once."""
    return _together(url, "cycles", workers=workers, seconds=seconds)


def _together(url: str, what: str, *, workers: int, seconds: float) -> float:
    command = [sys.executable, "-m", "benchmarks.ceiling", url, what, str(seconds)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)
    ]
    return sum(float(process.communicate()[0]) for process in processes)


def _claim(connection: psycopg.Connection) -> int:
    return len(connection.execute(CLAIM).fetchall())


def _cycle(connection: psycopg.Connection) -> int:
    taken = connection.execute(CLAIM).fetchall()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(WRITE, taken)
    return len(taken)


STEPS: dict[str, Callable[[psycopg.Connection], int]] = {"claims": _claim, "cycles": _cycle}


def main(url: str, what: str, seconds: str) -> None:
    step, done = STEPS[what], 0
    with psycopg.connect(url, autocommit=True) as connection:
        started = time.perf_counter()
        while time.perf_counter() - started < float(seconds):
            done += step(connection)
        print(done / (time.perf_counter() - started))


if __name__ == "__main__":
    main(*sys.argv[1:])
