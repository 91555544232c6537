"""Many event streams of one service, and how long each event is under way from its commit."""

import asyncio
import time
from dataclasses import dataclass

import httpx
import msgspec
import psycopg

LATEST_SECONDS = 5.0
"""What has not come by then is lost."""

TELL = """
WITH told AS (
    UPDATE jobs SET revision = revision + 1, event_count = event_count + 1
    WHERE id = %s RETURNING id, event_count
)
INSERT INTO job_events (job_id, seq, type, data, at)
SELECT id, event_count, 'bench.event', %s::json, 1 FROM told
"""

MARK = b'"sent":'


@dataclass(frozen=True)
class Delays:
    """Milliseconds of every delivery, what never came, and the service's memory per watcher."""

    millis: list[float]
    lost: int
    bytes_each: float


async def watch(url: str, port: int, *, watchers: int, seconds: int) -> Delays:
    """Open the streams, tell of events from outside the service, gather what comes."""
    watched = [f"job_{1 + number:012}" for number in range(watchers)]
    before, ready = await _resident(port), asyncio.Semaphore(0)
    millis: list[float] = []
    streams = [
        asyncio.create_task(_follow(port, job, millis=millis, ready=ready)) for job in watched
    ]
    for _ in streams:
        await ready.acquire()
    after = await _resident(port)
    told = await asyncio.to_thread(_tell, url, watched, seconds=seconds)
    await asyncio.sleep(LATEST_SECONDS)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    return Delays(millis, told - len(millis), (after - before) / watchers)


def _tell(url: str, watched: list[str], *, seconds: int) -> int:
    """Each second an event for one job in ten, in ten transactions; how many events."""
    told = 0
    with psycopg.connect(url, autocommit=True) as connection:
        for part in range(seconds * 10):
            few = watched[part % 100 :: 100]
            with connection.transaction(), connection.cursor() as cursor:
                sent = msgspec.json.encode({"sent": time.time()}).decode()
                cursor.executemany(TELL, [(job, sent) for job in few])
            told += len(few)
            time.sleep(0.1)
    return told


async def _follow(port: int, job: str, *, millis: list[float], ready: asyncio.Semaphore) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"GET /jobs/{job}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
    )
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    ready.release()
    try:
        while line := await reader.readline():
            if MARK in line:
                sent = float(line.partition(MARK)[2].split(b"}")[0].split(b",")[0])
                millis.append((time.time() - sent) * 1000)
    finally:
        writer.close()


async def _resident(port: int) -> float:
    """Bytes of memory that the service holds, by its own account."""
    async with httpx.AsyncClient() as client:
        said = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    [line] = [one for one in said.splitlines() if one.startswith("process_resident_memory_bytes")]
    return float(line.split()[1])
