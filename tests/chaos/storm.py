"""`python -m tests.chaos.storm [jobs] [seed]`: workers that die, freeze and lose their database.

Four workers share one PostgreSQL server and one vendor. Some are killed with kill -9, some are
stopped for longer than a lease and wake up again, the server is cut off from its power, and the
vendor fails more and more of the requests. What came of it is written into docs/measurements.md.
"""

import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app import bootstrap
from app.domain.jobs import FINAL
from app.sandbox.frame.conditions import Pace
from app.sandbox.frame.faults import Failure, Fault, Reset, too_many_requests
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.simulator import SimulatedOpenAI
from app.settings import Settings
from app.storage.leases import LEASE_SECONDS
from tests import databases
from tests.chaos.page import write
from tests.crash.processes import Luthier
from tests.own_postgres import Postgres
from tests.sandbox.egress import no_egress
from tests.serving import api

WORKERS = 4

RATES = (0.05, 0.15, 0.30)
"""The share of all requests that the vendor fails, in the three parts of the run."""

FAULTS: tuple[Fault, ...] = (
    Failure(status=500),
    Failure(status=502, after_effect=True),
    Reset(during="effect"),
    Reset(during="answer"),
    too_many_requests(seconds=1),
)

PART_SECONDS = 60.0

PAUSE_SECONDS = (2.0, 6.0)
"""How long nothing happens between two blows."""

FORTY_YEARS = 4_000_000
"""As `times` of an order: more requests than there will be."""

STILL_OPEN = """
['openai'.creation]
closes_at = 2999-01-01
['openai'.defaults]
training_ends_at = 2999-01-01
"""

Json = dict[str, Any]


class Storm:
    """The processes, the server and the vendor, and every blow that was dealt."""

    def __init__(
        self, workers: list[Luthier], server: Postgres, vendor: SimulatedOpenAI, seed: int
    ) -> None:
        self._workers = workers
        self._server = server
        self.vendor = vendor
        self._chance = random.Random(seed)
        self.blows: Counter[str] = Counter()

    async def rage(self) -> None:
        """Three parts, each with a higher rate of failures and one power cut of the database."""
        for rate in RATES:
            self.vendor.withdraw()
            for fault in FAULTS:
                self.vendor.order(fault, "*", times=FORTY_YEARS, share=rate / len(FAULTS))
            ends = time.monotonic() + PART_SECONDS
            freezing = asyncio.create_task(self._freeze())
            while time.monotonic() < ends:
                await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))
                await self._kill_one()
            await self._cut_the_power()
            await freezing
        # From here on the vendor fails at the lowest rate, as vendors do.
        self.vendor.withdraw()
        for fault in FAULTS:
            self.vendor.order(fault, "*", times=FORTY_YEARS, share=RATES[0] / len(FAULTS))

    async def _kill_one(self) -> None:
        worker = self._chance.choice(self._workers[1:])
        if worker.is_alive:
            worker.send(signal.SIGKILL)
            self.blows["kill -9"] += 1
        # One that was begun while the database was away has ended by itself, and said so.
        await worker.ended()
        await worker.start("worker")

    async def _freeze(self) -> None:
        """The first worker sleeps through its leases, and wakes up to find others at its work."""
        worker = self._workers[0]
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(LEASE_SECONDS + self._chance.uniform(1, 10))
        worker.send(signal.SIGCONT)
        self.blows["stopped beyond the lease"] += 1

    async def _cut_the_power(self) -> None:
        await asyncio.to_thread(self._server.stop)
        await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))
        await asyncio.to_thread(self._server.start)
        self.blows["database restarted"] += 1


@asynccontextmanager
async def world(folder: Path, seed: int) -> AsyncGenerator[tuple[Storm, httpx.AsyncClient]]:
    """Four workers, and an API that never dies."""
    async with AsyncExitStack() as stack:
        server = Postgres(folder)
        stack.callback(server.close)
        await asyncio.to_thread(databases.prepare_template, server.url)
        url = await stack.enter_async_context(databases.postgres_database(server.url))
        vendor = stack.enter_context(
            SimulatedOpenAI(conditions=Conditions(pace=Pace(by="clock", seconds=1)))
        )
        catalogue = folder / "catalogue.toml"
        catalogue.write_text(STILL_OPEN)
        (folder / "luthier.toml").write_text(f"catalogue = '{catalogue}'\n")
        sections: dict[str, Json] = {
            "openai": {"api_key": "sk-storm", "base_url": vendor.url, "timeout_seconds": 10}
        }
        settings = Settings(
            data_dir=folder, database_url=url, providers=sections, catalogue=catalogue
        )
        house = bootstrap.build(settings)
        client = await stack.enter_async_context(api(house, reconcile=False))
        workers = [Luthier(house, providers=sections) for _ in range(WORKERS)]
        for worker in workers:
            stack.push_async_callback(worker.close)
            await worker.start("worker")
        yield Storm(workers, server, vendor, seed), client


async def play(count: int, seed: int) -> str:
    """The table of what happened; AssertionError where a job was lost or doubled."""
    with tempfile.TemporaryDirectory(prefix="luthier-storm-") as folder:
        async with world(Path(folder), seed) as (storm, client):
            began = time.monotonic()
            jobs = await create(client, count)
            await storm.rage()
            ended = await follow(client, jobs)
            seconds = time.monotonic() - began
            vendor = storm.vendor
            created = vendor.creations("luthier_key")
            spoiled = sum(seen.fault is not None for seen in vendor.requests)
            figures = {
                "jobs": count,
                **storm.blows,
                "requests to the vendor": len(vendor.requests),
                "of them failed": spoiled,
                **{f"jobs {status}": number for status, number in ended.items()},
                "lost": count - sum(ended.values()),
                "never created": count - len(created),
                "created twice": sum(number > 1 for number in created.values()),
                "contract broken": len(vendor.violations),
                "seconds": round(seconds),
            }
    return told(figures, seed)


async def create(client: httpx.AsyncClient, count: int) -> list[str]:
    """The ids of as many jobs on one dataset."""
    rows = [{"prompt": f"say {n}", "completion": f"say {n}"} for n in range(12)]
    await client.post("/datasets", json={"name": "echo", "examples": rows})
    order = {"provider": "openai", "base_model": "gpt-4.1-mini-2025-04-14", "dataset": "echo"}
    jobs: list[str] = []
    for _ in range(count):
        answer = await client.post("/jobs", json=order)
        assert answer.status_code == 201, answer.text
        jobs.append(answer.json()["id"])
    return jobs


async def follow(client: httpx.AsyncClient, jobs: list[str]) -> Counter[str]:
    """How many jobs ended in each status, once all have."""
    ended: dict[str, str] = {}
    while len(ended) < len(jobs):
        await asyncio.sleep(2)
        for job in jobs:
            if job not in ended:
                status = (await client.get(f"/jobs/{job}")).json()["status"]
                if status in FINAL | {"blocked"}:
                    ended[job] = status
        sys.stdout.write(f"\r{len(ended)} of {len(jobs)} have ended ")
        sys.stdout.flush()
    return Counter(ended.values())


def told(figures: dict[str, int], seed: int) -> str:
    """The section of the page."""
    rows = "\n".join(f"| {name} | {number:,} |" for name, number in figures.items())
    return (
        "## A storm (`make storm`)\n\n"
        f"{WORKERS} workers on one PostgreSQL server before a simulated OpenAI, killed at random, "
        "stopped for longer\nthan a lease, their database cut off from its power, while the vendor "
        f"fails {RATES[0]:.0%} to {RATES[-1]:.0%} of all requests. Seed {seed}.\n\n"
        f"| what | how many |\n| --- | ---: |\n{rows}\n"
    )


def main(count: int, seed: int) -> None:
    """Play, and tell."""
    with no_egress():
        report = asyncio.run(play(count, seed))
    write("storm", report)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [2000, 11][len(given) :]))
