"""`python -m tests.chaos.storm [jobs] [seed]`: a service that dies, freezes and loses its database.

Four workers and the service before them share one PostgreSQL server and three vendors. While users
order jobs, processes are killed with kill -9, workers are stopped for longer than a lease and wake
up again, the server is cut off from its power, and the vendors fail a share of the requests. What
came of it is written into docs/measurements.md.
"""

import asyncio
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from app import bootstrap
from app.bootstrap import House
from app.sandbox.frame.conditions import Pace
from tests import databases
from tests.chaos.blows import Blows, Supervised
from tests.chaos.page import say, write
from tests.chaos.people import Client, Operator, Users
from tests.chaos.stages import VendorStage, settings_before, side_by_side
from tests.chaos.verdict import follow, is_clean, judge, left
from tests.chaos.weather import SHARES, Weather
from tests.crash.processes import Luthier
from tests.own_postgres import Postgres
from tests.sandbox.egress import no_egress

VENDORS = ("openai", "azure_openai", "vertex")

WORKERS = 4

DATASETS = 40

POOL = "5"
"""Connections for reading, and for writing: five processes share the server's hundred."""

RAGE_SECONDS = (75.0, 0.2)
"""How long the storm rages at least, and for each job."""

END_SECONDS = 1200.0
"""How long after the storm the last job may end."""

Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """All that the storm is about."""

    house: House
    stages: Mapping[str, VendorStage]
    weather: Weather
    blows: Blows
    client: Client


async def play(count: int, seed: int) -> None:
    """Print the figures, and keep those of a storm in which nothing was lost or doubled."""
    with tempfile.TemporaryDirectory(prefix="luthier-storm-") as folder:
        async with world(Path(folder), seed) as stormy:
            report, is_good = await rage(stormy, count, seed)
    sys.stdout.write(f"\n{report}")
    if not is_good:
        sys.exit("Something was lost or doubled.")
    write("storm", report)


async def rage(world: World, count: int, seed: int) -> tuple[str, bool]:
    """The report, and whether it is a good one."""
    users, operator = Users(world.client), Operator(world.client)
    await users.add_datasets(DATASETS)
    began, seconds = time.monotonic(), max(RAGE_SECONDS[0], RAGE_SECONDS[1] * count)
    async with operator.minding():
        async with asyncio.TaskGroup() as storm:
            storm.create_task(users.order(orders(world.stages, count, seed), seconds))
            storm.create_task(world.blows.rage(seconds))
            storm.create_task(change_the_weather(world.weather, seconds))
        say(f"The storm is over after {seconds:.0f} s.")
        async with asyncio.timeout(END_SECONDS):
            await follow(world.house.database)
    jobs = judge(users.jobs, await left(world.house.database, world.stages))
    figures = {
        "jobs ordered, each with a key": count,
        **world.client.counts,
        **users.counts,
        **world.blows.counts,
        "parked jobs retried by the operator": operator.retries,
        **jobs,
        "seconds of storm": round(seconds),
        "seconds until the last job had ended": round(time.monotonic() - began),
    }
    return told(figures, world.weather, seed), is_clean(jobs)


def orders(stages: Mapping[str, VendorStage], count: int, seed: int) -> list[Json]:
    """Jobs at all vendors and on all datasets."""
    chance = random.Random(seed)
    kinds = [chance.choice(list(stages)) for _ in range(count)]
    return [
        {
            "provider": kind,
            "base_model": stages[kind].base_model,
            "dataset": f"rows{number % DATASETS}",
        }
        for number, kind in enumerate(kinds)
    ]


async def change_the_weather(weather: Weather, seconds: float) -> None:
    """Three parts, and then the calm."""
    for part in range(3):
        weather.turn(part)
        await asyncio.sleep(seconds / 3)
    weather.calm_down()


@asynccontextmanager
async def world(folder: Path, seed: int) -> AsyncGenerator[World]:
    """Processes that are kept alive, before vendors whose jobs take some seconds."""
    async with AsyncExitStack() as stack:
        server = Postgres(folder)
        stack.callback(server.close)
        await asyncio.to_thread(databases.prepare_template, server.url)
        url = await stack.enter_async_context(databases.postgres_database(server.url))
        stages = await stack.enter_async_context(side_by_side(VENDORS, folder))
        for stage in stages.values():
            stage.simulated.change(pace=Pace(by="clock", seconds=1))
        house = bootstrap.build(settings_before(stages, folder, url))
        stack.push_async_callback(house.database.dispose)
        port = free_port()
        workers = [Supervised(process(house), "worker") for _ in range(WORKERS)]
        service = Supervised(process(house), "serve", "--no-reconciler", "--port", str(port))
        blows = Blows(workers, service, server, seed)
        await stack.enter_async_context(blows.ready())
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
        )
        weather = Weather({name: stage.simulated for name, stage in stages.items()})
        yield World(house, stages, weather, blows, Client(client))


def process(house: House) -> Luthier:
    """One that is to be begun."""
    luthier = Luthier(house, providers=house.settings.providers)
    luthier.settings["LUTHIER_DATABASE_POOL"] = POOL
    return luthier


def free_port() -> int:
    """A port that the service is found at, however often it begins anew."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def told(figures: Mapping[str, int], weather: Weather, seed: int) -> str:
    """The section of the page."""
    rows = "\n".join(f"| {name} | {number:,} |" for name, number in figures.items())
    vendors = "\n".join(
        f"| {name} | {all_:,} | {raged:,} | {failed:,} | {failed / raged:.1%} |"
        for name, (all_, raged, failed) in weather.figures().items()
    )
    return (
        "## A storm (`make storm`)\n\n"
        f"{WORKERS} workers and the service on one PostgreSQL server, before simulators of three "
        "vendors. While users\norder jobs, processes are killed at random, workers stopped for "
        "longer than a lease, the database\ncut off from its power, and each vendor fails "
        f"{SHARES[0]:.0%}, {SHARES[1]:.0%} or {SHARES[2]:.0%} of what it is asked to "
        f"read\nor to write, another share in each third of the storm; {SHARES[0]:.0%} afterwards. "
        f"Seed {seed}, "
        f"{os.cpu_count()} processors with a\nload of {os.getloadavg()[2]:.0f} in the last quarter "
        f"of an hour, {datetime.now(UTC):%Y-%m-%d}.\n\n"
        f"| what | how many |\n| --- | ---: |\n{rows}\n\n"
        "| vendor | requests | of them in the storm | of these failed | share |\n"
        f"| --- | ---: | ---: | ---: | ---: |\n{vendors}\n"
    )


def main(count: int, seed: int) -> None:
    """Play, and tell."""
    with no_egress():
        asyncio.run(play(count, seed))


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [2000, 11][len(given) :]))
