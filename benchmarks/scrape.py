"""What a look for /metrics costs PostgreSQL with many jobs: one in ten seconds at the most."""

import asyncio
import time

import psycopg

from app.storage import gauges
from app.storage.database import Database
from tests import databases

LOOKS = 5

_JOBS = """
INSERT INTO jobs (id, provider, base_model, method, seed, tags, status, desired, metrics, attempt,
  attempts, failures, revision, event_count, created_at, next_at, epoch, project_id, observed_at)
SELECT %(kind)s || i, (ARRAY['openai', 'azure_openai', 'vertex', 'local'])[1 + i %% 4], 'm', '{}',
  1, '{}', %(status)s, 'run', '{}', 1, '[]', 0, 1, 3, 1, %(next_at)s, 1, 'p' || (i %% 500), 1
FROM generate_series(1, %(count)s) i
"""

_LEDGER = """
INSERT INTO ledger (id, key, at, kind, provider, tags, quoted, actual, project_id)
SELECT 'led' || i, 'k' || i, i, 'training',
  (ARRAY['openai', 'azure_openai', 'vertex', 'local'])[1 + i %% 4], '{}', 1000000, 900000, 'p'
FROM generate_series(1, %s) i
"""


async def main() -> None:
    """Print the seconds of a look, for few and for many unfinished jobs."""
    print("| unfinished jobs | finished jobs | lines of the ledger | a look, ms |")
    print("| ---: | ---: | ---: | ---: |")
    with databases.postgres_server() as server:
        await asyncio.to_thread(databases.prepare_template, server)
        for unfinished, finished in ((1_000, 100_000), (100_000, 200_000)):
            async with databases.postgres_database(server) as url:
                _fill(url, unfinished, finished)
                seconds = await _looked(url)
            lines = unfinished + finished
            print(f"| {unfinished:,} | {finished:,} | {lines:,} | {seconds * 1000:.0f} |")


def _fill(url: str, unfinished: int, finished: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for status, count, next_at in (("running", unfinished, 1), ("succeeded", finished, None)):
            given = {"kind": status, "status": status, "count": count, "next_at": next_at}
            connection.execute(_JOBS, given)
        connection.execute(_LEDGER, [unfinished + finished])
        connection.execute("VACUUM ANALYZE")


async def _looked(url: str) -> float:
    """The median of some looks, after one that warms up."""
    database = Database(url)
    seconds: list[float] = []
    for _ in range(LOOKS + 1):
        started = time.perf_counter()
        async with database.read() as connection:
            await gauges.read(connection)
        seconds.append(time.perf_counter() - started)
    await database.dispose()
    return sorted(seconds[1:])[LOOKS // 2]


if __name__ == "__main__":
    asyncio.run(main())
