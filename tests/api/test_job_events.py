"""A job's events: as a list, and as a stream that goes on wherever a reader left."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.api.expect import pages, refused
from tests.api.given import Json, dataset, ended, job

STREAM = {"Accept": "text/event-stream"}


def frames(stream: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream, each checked against its frame."""
    assert stream.headers["content-type"].startswith("text/event-stream")
    found: list[dict[str, Any]] = []
    for block in stream.text.strip().split("\n\n"):
        if not block or block.startswith(":"):
            continue
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        event = json.loads(fields["data"])
        assert (fields["id"], fields["event"]) == (str(event["seq"]), event["type"])
        found.append(event)
    return found


@pytest.fixture
async def done(client: httpx.AsyncClient) -> Json:
    """A job at its end."""
    await dataset(client)
    return await ended(client, await job(client))


async def test_events_are_numbered_without_a_gap(client: httpx.AsyncClient, done: Json) -> None:
    listed = await pages(client, f"/jobs/{done['id']}/events", limit="2")
    events = [event for page in listed for event in page]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    told = [event["type"] for event in events if event["type"] != "job.progress"]
    assert told == ["job.created", "job.submitting", "job.submitted", "job.succeeded"]
    assert all(event["at"].endswith("Z") for event in events)


async def test_a_stream_tells_everything_to_the_end(client: httpx.AsyncClient) -> None:
    await dataset(client)
    begun = await job(client)
    path = f"/jobs/{begun['id']}/events"
    stream = frames(await client.get(path, headers=STREAM))
    assert stream[-1]["type"] == "job.succeeded"
    assert stream == (await client.get(path)).json()["data"]


async def test_a_stream_goes_on_from_every_position(client: httpx.AsyncClient, done: Json) -> None:
    path = f"/jobs/{done['id']}/events"
    events = (await client.get(path)).json()["data"]
    for seen in range(len(events) + 1):
        stream = await client.get(path, headers=STREAM | {"Last-Event-ID": str(seen)})
        assert frames(stream) == events[seen:]
    assert frames(await client.get(f"{path}?cursor=2", headers=STREAM)) == events[2:]


async def test_many_readers_see_the_same(client: httpx.AsyncClient) -> None:
    await dataset(client)
    path = f"/jobs/{(await job(client))['id']}/events"
    streams = await asyncio.gather(*(client.get(path, headers=STREAM) for _ in range(5)))
    first, *others = [frames(stream) for stream in streams]
    assert all(other == first for other in others)


@pytest.mark.parametrize("position", ["-1", "one", "1e3", "2147483648"])
async def test_a_position_that_was_never_given_is_refused(
    client: httpx.AsyncClient, done: Json, position: str
) -> None:
    path, headers = f"/jobs/{done['id']}", STREAM | {"Last-Event-ID": position}
    refused(await client.get(f"{path}/events", headers=headers), 422, "cursor_invalid")
    for series in ("events", "metrics"):
        answer = await client.get(f"{path}/{series}", params={"cursor": position})
        refused(answer, 422, "cursor_invalid")


async def test_a_position_beyond_the_end_gives_nothing(
    client: httpx.AsyncClient, done: Json
) -> None:
    headers = STREAM | {"Last-Event-ID": "2147483647"}
    assert frames(await client.get(f"/jobs/{done['id']}/events", headers=headers)) == []


async def test_a_stream_of_no_job_is_a_problem(client: httpx.AsyncClient) -> None:
    refused(await client.get("/jobs/job_none/events", headers=STREAM), 404, "job_not_found")
