"""SIGTERM: seen to leave first, nobody is cut off, and the work is given back."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from signal import SIGTERM

import httpx
import pytest
from sqlalchemy import select

from app.bootstrap import House
from app.storage.jobs import JobRow
from tests.crash.following import add_dataset, finished, queue_job
from tests.crash.processes import DEADLINE_SECONDS, Luthier
from tests.databases import LONG_ON_POSTGRES
from tests.simulated.simulated_provider import SimulatedProvider

ROWS = [{"prompt": f"say {n}", "completion": f"say {n}"} for n in range(12)]


async def test_a_service_that_is_to_end_is_not_ready_but_serves_to_the_last(
    idle_client: httpx.AsyncClient, luthier: Luthier
) -> None:
    await add_dataset(idle_client)
    async with resting(luthier) as client:
        luthier.send(SIGTERM)

        assert (await until_not_ready(client))["service"] == "draining"
        await queue_job(client)
        assert luthier.is_alive
        luthier.send(SIGTERM)
        assert await luthier.ended() == 0, luthier.log()


@LONG_ON_POSTGRES
async def test_what_is_under_way_is_answered_and_what_waits_is_let_go(
    idle_client: httpx.AsyncClient, luthier: Luthier
) -> None:
    await add_dataset(idle_client)
    job = await queue_job(idle_client)
    begun, rest_may_come, told = asyncio.Event(), asyncio.Event(), asyncio.Event()
    async with resting(luthier) as client, asyncio.TaskGroup() as requests:
        upload = requests.create_task(
            client.post("/datasets", content=slowly("late", begun, rest_may_come), headers=JSON)
        )
        poll = requests.create_task(client.get(f"/jobs/{job}", params={"wait": 60}))
        stream = requests.create_task(read_stream(client, job, told))
        await begun.wait()
        await told.wait()
        luthier.send(SIGTERM)
        await until_not_ready(client)
        luthier.send(SIGTERM)

        assert (await poll).json()["status"] == "queued"
        assert "event: job.created" in await stream
        async with httpx.AsyncClient(trust_env=False) as newcomer:
            with pytest.raises(httpx.ConnectError):
                await newcomer.get(f"{client.base_url}/healthz")
        rest_may_come.set()
        assert (await upload).status_code == 201
        assert await luthier.ended() == 0, luthier.log()
    assert (await idle_client.get("/datasets/late")).json()["examples"] == len(ROWS)


@LONG_ON_POSTGRES
async def test_work_that_does_not_end_in_time_is_given_back_at_once(
    idle_client: httpx.AsyncClient, luthier: Luthier, house: House, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    vendor.order("observe", "hang")
    await luthier.start("worker")
    job = await queue_job(idle_client)
    await until_hanging(vendor)
    luthier.send(SIGTERM)
    assert await luthier.ended() == 0, luthier.log()

    async with house.database.read() as connection:
        held = select(JobRow.lease_owner, JobRow.accidents, JobRow.next_at)
        owner, accidents, due_at = (await connection.execute(held)).one()
    assert (owner, accidents) == (None, 0)
    assert due_at is not None
    assert due_at <= await house.database.now()
    await luthier.start("worker")
    assert (await finished(idle_client, job))["status"] == "succeeded"


JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def resting(luthier: Luthier) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a service that works on nothing, and whose grace does not end by itself."""
    luthier.settings["LUTHIER_DRAIN_SECONDS"] = str(DEADLINE_SECONDS)
    await luthier.start("serve", "--no-reconciler", "--port", "0")
    async with httpx.AsyncClient(
        base_url=await luthier.ready(), trust_env=False, timeout=DEADLINE_SECONDS
    ) as client:
        yield client


async def until_not_ready(client: httpx.AsyncClient) -> dict[str, str]:
    """What the service says of its parts, once it is not ready."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            answer = await client.get("/readyz")
            if answer.status_code == 503:
                return answer.json()["checks"]
            await asyncio.sleep(0.02)


async def until_hanging(vendor: SimulatedProvider) -> None:
    """Return once the worker stands where it was ordered to hang."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            if not vendor.has_order("observe"):
                return
            await asyncio.sleep(0.02)


async def slowly(
    name: str, begun: asyncio.Event, rest_may_come: asyncio.Event
) -> AsyncIterator[bytes]:
    """A dataset whose second half comes when it may."""
    body = json.dumps({"name": name, "examples": ROWS}).encode()
    yield body[:100]
    begun.set()
    await rest_may_come.wait()
    yield body[100:]


async def read_stream(client: httpx.AsyncClient, job: str, told: asyncio.Event) -> str:
    """All of a job's stream; raises where it is cut off instead of ended."""
    headers = {"Accept": "text/event-stream"}
    text = ""
    async with client.stream("GET", f"/jobs/{job}/events", headers=headers) as stream:
        async for piece in stream.aiter_text():
            text += piece
            if "event: job.created" in text:
                told.set()
    return text
