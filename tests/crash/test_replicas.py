"""Two services over one Postgres: a client may turn to either and miss nothing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.bootstrap import House
from tests.crash.following import add_dataset, finished, queue_job
from tests.crash.processes import DEADLINE_SECONDS, Luthier

pytestmark = pytest.mark.parametrize("pattern", ["postgres"], indirect=True)


@pytest.fixture
async def other(house: House, luthier: Luthier) -> AsyncGenerator[Luthier]:
    """A second process over the same data."""
    other = Luthier(house, providers=luthier.providers)
    yield other
    await other.close()


async def test_a_creation_that_races_at_both_happens_once(
    idle_client: httpx.AsyncClient, luthier: Luthier, other: Luthier
) -> None:
    await add_dataset(idle_client)
    order = {"provider": "simulated", "base_model": "sim-base", "dataset": "echo"}
    async with client_of(luthier, "--no-reconciler") as here, client_of(other) as there:
        for key in ("first", "second", "third", "fourth"):
            headers = {"Idempotency-Key": key}
            answers = await asyncio.gather(
                *(at.post("/jobs", json=order, headers=headers) for at in (here, there) * 4)
            )
            assert {answer.status_code for answer in answers} == {201}
            assert len({answer.json()["id"] for answer in answers}) == 1
            replayed = [answer.headers.get("idempotent-replayed") for answer in answers]
            assert (replayed.count("true"), replayed.count(None)) == (7, 1)
    assert len((await idle_client.get("/jobs")).json()["data"]) == 4


async def test_a_stream_goes_on_at_the_other_where_the_first_was_killed(
    idle_client: httpx.AsyncClient, luthier: Luthier, other: Luthier
) -> None:
    await add_dataset(idle_client)
    async with client_of(luthier, "--no-reconciler") as here:
        job = await queue_job(here)
        seen = [await anext(ids(here, job))]
        await luthier.kill()
    async with client_of(other) as there:
        seen += [id async for id in ids(there, job, last=seen[-1])]
        assert (await finished(there, job))["status"] == "succeeded"
    listed = (await idle_client.get(f"/jobs/{job}/events")).json()["data"]
    assert seen == [str(event["seq"]) for event in listed]
    assert len(seen) > 2


async def test_who_waits_at_one_sees_what_is_changed_at_the_other(
    idle_client: httpx.AsyncClient, luthier: Luthier, other: Luthier
) -> None:
    await add_dataset(idle_client)
    rest = "--no-reconciler"
    async with client_of(luthier, rest) as here, client_of(other, rest) as there:
        job = await queue_job(here)
        known = {"If-None-Match": (await there.get(f"/jobs/{job}")).headers["etag"]}
        waiting = there.get(f"/jobs/{job}", params={"wait": 60}, headers=known)
        cancelling = here.post(f"/jobs/{job}/cancel")
        # Well before the minute is over: it has seen the change, and not the end of its patience.
        async with asyncio.timeout(45):
            seen, cancelled = await asyncio.gather(waiting, cancelling)
        assert seen.json()["revision"] == cancelled.json()["revision"]


@asynccontextmanager
async def client_of(luthier: Luthier, *options: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a service that was just started."""
    await luthier.start("serve", "--port", "0", *options)
    async with httpx.AsyncClient(
        base_url=await luthier.ready(), trust_env=False, timeout=DEADLINE_SECONDS
    ) as client:
        yield client


async def ids(client: httpx.AsyncClient, job: str, *, last: str = "0") -> AsyncIterator[str]:
    """The ids of a job's stream from after `last` on."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
    async with client.stream("GET", f"/jobs/{job}/events", headers=headers) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("id: "):
                yield line.removeprefix("id: ")
