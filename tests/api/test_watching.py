"""Waiting for news that another process tells: nobody is called by it, everybody finds it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from app.bootstrap import House
from app.domain.jobs import Event, StoredEvent
from app.reconciler import submit
from app.services.watching import EVENTS_AT_ONCE, NEWS_AT_ONCE
from app.storage import jobs
from tests.api.given import Json, dataset, job
from tests.reconciling import shop_of

Stream = AsyncIterator[list[StoredEvent] | None]


@pytest.fixture
async def begun(idle_client: httpx.AsyncClient) -> Json:
    """A job of which the first event was told."""
    await dataset(idle_client)
    return await job(idle_client)


async def tell(house: House, job_id: str, count: int = 1) -> None:
    """Let so many events happen at once, without a word to this process."""
    async with house.database.write() as connection:
        for _ in range(count):
            await jobs.change(connection, job_id, {}, Event("test.told", {"of": job_id}))


async def read(stream: Stream, count: int) -> list[StoredEvent]:
    """So many events, as they come."""
    events: list[StoredEvent] = []
    while len(events) < count:
        events += await anext(stream) or []
    return events


async def test_each_reader_gets_the_events_of_its_job(
    idle_client: httpx.AsyncClient, house: House, begun: Json
) -> None:
    ids = [begun["id"], begun["id"], (await job(idle_client))["id"]]
    streams = [house.services.watch.events(id, after=1) for id in ids]
    reading = asyncio.gather(*(read(stream, 3) for stream in streams))

    for id in set(ids):
        await tell(house, id, 1)
        await tell(house, id, 2)

    for id, events in zip(ids, await reading, strict=True):
        assert [(event.seq, event.data) for event in events] == [(n, {"of": id}) for n in (2, 3, 4)]


@pytest.mark.parametrize("count", [NEWS_AT_ONCE, NEWS_AT_ONCE + 1, EVENTS_AT_ONCE + 1])
async def test_a_reader_misses_nothing_however_much_comes_at_once(
    house: House, begun: Json, count: int
) -> None:
    stream = house.services.watch.events(begun["id"], after=0)
    first = await read(stream, 1)

    await tell(house, begun["id"], count)

    rest = await read(stream, count)
    assert [event.seq for event in first + rest] == list(range(1, count + 2))


async def test_a_reader_that_comes_later_does_not_hide_news_from_the_first(
    house: House, begun: Json
) -> None:
    first = house.services.watch.events(begun["id"], after=0)
    await read(first, 1)
    await tell(house, begun["id"])

    second = await read(house.services.watch.events(begun["id"], after=0), 2)

    assert [event.seq for event in second] == [1, 2]
    assert [event.seq for event in await read(first, 1)] == [2]


async def test_a_stream_from_beyond_the_end_ends_with_its_job(
    idle_client: httpx.AsyncClient, house: House, begun: Json
) -> None:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "1000"}
    stream = asyncio.create_task(
        idle_client.get(f"/jobs/{begun['id']}/events", headers=headers, timeout=None)
    )

    await idle_client.post(f"/jobs/{begun['id']}/cancel")
    await submit.tick(shop_of(house), "simulated")

    assert (await stream).text == ""
