"""Decisions in company: written in one transaction, and none suffers from another one."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, update
from sqlalchemy.exc import DBAPIError

from app.domain.decide import Decision
from app.domain.jobs import Checkpoint, Event, Job, MetricPoint, Remote
from app.domain.provider import Observation, RemoteState
from app.reconciler.writing import AT_ONCE, Writing
from app.storage import job_series, jobs, leases
from app.storage.database import Database
from app.storage.jobs import JobRow
from tests.storage.test_leases import add, claim

UNWRITABLE = 2**80
"""A step that no column can hold."""


def seen(step: int = 1, loss: float = 0.5) -> Decision:
    observation = Observation(
        state=RemoteState.RUNNING,
        remote=Remote("there"),
        look_again_in=60.0,
        metrics=[MetricPoint(step, {"loss": loss})],
        checkpoints=[Checkpoint(step, f"step-{step}")],
    )
    told = (Event("test.seen", {"step": step}), Event("test.told"))
    return Decision({"observed_at": 5}, told, look_again_in=60.0, observation=observation)


async def write_all(database: Database, decided: dict[str, tuple[Job, Decision]]) -> dict[str, Any]:
    writing = Writing(database)
    results = await asyncio.gather(
        *(writing.write(job, decision) for job, decision in decided.values()),
        return_exceptions=True,
    )
    return dict(zip(decided, results, strict=True))


@contextmanager
def counted_commits() -> Generator[list[None]]:
    commits: list[None] = []

    def count(_: Any) -> None:
        commits.append(None)

    event.listen(Engine, "commit", count)
    try:
        yield commits
    finally:
        event.remove(Engine, "commit", count)


async def told(database: Database, job: Job) -> list[tuple[int, str]]:
    async with database.read() as connection:
        return [(one.seq, one.type) for one in await jobs.events_after(connection, job.id, 0, 100)]


async def test_what_is_ready_at_once_is_one_transaction(database: Database) -> None:
    await add(database, AT_ONCE)
    claimed = await claim(database)

    with counted_commits() as commits:
        written = await write_all(database, {job.id: (job, seen()) for job in claimed})

    assert len(commits) == 1
    assert list(written.values()) == [True] * AT_ONCE
    for job in claimed:
        happened = [(1, "job.created"), (2, "test.seen"), (3, "test.told")]
        assert await told(database, job) == happened
    async with database.read() as connection:
        kept = await jobs.find_many(connection, [job.id for job in claimed])
    assert {(job.observed_at, job.event_count, job.accidents) for job in kept.values()} == {
        (5, 3, 0)
    }


async def test_a_lost_lease_is_told_to_whom_it_was_lost(database: Database) -> None:
    await add(database, 3)
    [lost, *kept] = await claim(database)
    async with database.write() as connection:
        await leases.release_all(connection, JobRow)
    [again] = await claim(database, limit=1)
    assert again.id == lost.id

    written = await write_all(database, {job.id: (job, seen()) for job in (lost, *kept)})

    assert written == {lost.id: False, kept[0].id: True, kept[1].id: True}
    assert await told(database, lost) == [(1, "job.created")]


async def test_two_hands_on_one_job_are_told_apart(database: Database) -> None:
    await add(database, 2)
    [stale, other] = await claim(database)
    async with database.write() as connection:
        await leases.release_all(connection, JobRow)
    fresh = next(job for job in await claim(database) if job.id == stale.id)

    written = await write_all(
        database, {"stale": (stale, seen()), "fresh": (fresh, seen()), "other": (other, seen())}
    )

    assert written == {"stale": False, "fresh": True, "other": False}


async def test_what_cannot_be_written_spoils_nothing_else(database: Database) -> None:
    await add(database, 3)
    [poison, *good] = await claim(database)
    decided = {job.id: (job, seen()) for job in good}

    written = await write_all(database, decided | {poison.id: (poison, seen(UNWRITABLE))})

    assert isinstance(written.pop(poison.id), OverflowError | DBAPIError)
    assert list(written.values()) == [True, True]
    assert await told(database, poison) == [(1, "job.created")]


async def test_a_step_that_is_told_again_replaces_what_was_told(database: Database) -> None:
    await add(database, 2)
    for loss in (0.5, 0.25):
        async with database.write() as connection:
            await connection.execute(update(JobRow).values(next_at=0))
        claimed = await claim(database)
        written = await write_all(database, {job.id: (job, seen(loss=loss)) for job in claimed})
        assert list(written.values()) == [True, True]

    async with database.read() as connection:
        points = [await job_series.metrics_after(connection, job, 0, 10) for job in claimed]
        saved = [await job_series.checkpoints(connection, job) for job in claimed]
    assert [[point.values for point in series] for series in points] == [[{"loss": 0.25}]] * 2
    assert [len(series) for series in saved] == [1, 1]


@pytest.mark.parametrize("pattern", ["postgres"], indirect=True)
async def test_nobody_waits_for_a_job_that_a_user_is_changing(database: Database) -> None:
    await add(database, 2)
    [changing, free] = await claim(database)
    writing = Writing(database)

    async with database.write() as connection:
        await jobs.lock(connection, changing.id)
        waiting = asyncio.create_task(writing.write(changing, seen()))
        assert await writing.write(free, seen())
        assert not waiting.done()

    assert await waiting
