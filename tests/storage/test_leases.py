"""Leases on both databases: nobody gets what another holds, and a stale hand writes nothing."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.datasets import DatasetRef
from app.domain.decide import Decision
from app.domain.jobs import FINAL, Desired, Event, Job, JobStatus, Method, Remote
from app.storage import decisions, jobs, leases, queues
from app.storage.database import Database, embedded_url
from app.storage.ids import new_id
from app.storage.jobs import JobRow
from app.storage.queues import AWAITS_CREATION, AWAITS_LOOK_UP, AWAITS_OBSERVATION, AWAITS_STEERING


def queued(**changes: Any) -> Job:
    job = Job(
        id=new_id("job"),
        name=None,
        provider="simulated",
        base_model="sim-base",
        dataset=DatasetRef("ds_1", "echo", 1),
        method=Method("sft"),
        seed=1,
        event_count=1,
        created_at=1,
    )
    return msgspec.structs.replace(job, **changes)


async def add(database: Database, count: int, **changes: Any) -> list[Job]:
    added = [queued(**changes) for _ in range(count)]
    async with database.write() as connection:
        for job in added:
            await jobs.add(connection, job, Event("job.created"))
    return added


async def claim(database: Database, *, owner: str = "me", limit: int = 50) -> list[Job]:
    async with database.write() as connection:
        claimed = await queues.claim(
            connection, provider="simulated", awaiting=AWAITS_CREATION, owner=owner, limit=limit
        )
    return [job for job, _ in claimed]


async def test_many_claimers_share_the_jobs_without_overlap(database: Database) -> None:
    added = await add(database, 60)

    shares = await asyncio.gather(*(claim(database, owner=f"{n}", limit=7) for n in range(12)))

    claimed = [job.id for share in shares for job in share]
    assert len(claimed) == len(set(claimed))
    assert all(len(share) <= 7 for share in shares)
    rest = await claim(database)
    assert {*claimed, *(job.id for job in rest)} == {job.id for job in added}


async def test_the_longest_due_come_first(database: Database) -> None:
    added = await add(database, 1)
    added += await add(database, 1)
    async with database.write() as connection:
        await leases.write_fenced(
            connection, JobRow, id=added[1].id, epoch=0, values={"next_at": 1}
        )

    first = await claim(database, limit=1)

    assert [job.id for job in first] == [added[1].id]


async def test_a_job_of_another_provider_or_chore_is_left_alone(database: Database) -> None:
    await add(database, 1, provider="elsewhere")
    await add(database, 1, desired=Desired.CANCEL)

    assert await claim(database) == []


async def test_a_stale_hand_writes_nothing(database: Database) -> None:
    await add(database, 1)
    [stale] = await claim(database)
    async with database.write() as connection:
        await leases.release_all(connection, JobRow)
    [fresh] = await claim(database)

    async with database.write() as connection:
        is_ours = await decisions.apply(
            connection,
            stale,
            Decision({"status": JobStatus.FAILED}, (Event("job.failed"),), look_again_in=None),
        )

    assert not is_ours
    async with database.read() as connection:
        kept = await jobs.find(connection, fresh.id)
        events = await jobs.events_after(connection, fresh.id, 0, 10)
    assert kept is not None
    assert kept.status is JobStatus.QUEUED
    assert [event.type for event in events] == ["job.created"]


async def test_a_renewed_lease_stays_ours_and_a_lost_one_says_so(database: Database) -> None:
    await add(database, 1)
    [job] = await claim(database)

    async with database.write() as connection:
        assert await leases.renew(connection, JobRow, id=job.id, epoch=job.epoch)
        assert not await leases.renew(connection, JobRow, id=job.id, epoch=job.epoch - 1)

    assert await claim(database) == []


async def test_a_wish_during_a_tick_makes_the_job_due_at_its_end(database: Database) -> None:
    await add(database, 1)
    [job] = await claim(database)
    async with database.write() as connection:
        await jobs.change(
            connection, job.id, {"desired": Desired.CANCEL}, Event("job.cancel_requested")
        )

    async with database.write() as connection:
        assert await decisions.apply(connection, job, Decision(look_again_in=900.0))
        claimed = await queues.claim(
            connection, provider="simulated", awaiting=AWAITS_LOOK_UP, owner="me", limit=5
        )

    assert [(found.id, found.desired) for found, _ in claimed] == [(job.id, Desired.CANCEL)]


@pytest.mark.parametrize("keeps_the_lease_first", [False, True])
async def test_news_during_a_look_make_the_job_due_at_its_end(
    database: Database, keeps_the_lease_first: bool
) -> None:
    await add(database, 1, status=JobStatus.RUNNING, remote=Remote("there"))
    [job] = await observe(database)

    async with database.write() as connection:
        await jobs.make_due_at(connection, "simulated", "there")
    assert await observe(database) == []
    if keeps_the_lease_first:
        await give_back(database, job, keep_lease=True)
        assert await observe(database) == []
    await give_back(database, job)

    [again] = await observe(database)
    assert again.id == job.id
    await give_back(database, again)
    assert await observe(database) == []


async def test_news_of_what_nobody_looks_at_make_it_due_once(database: Database) -> None:
    await add(database, 1, status=JobStatus.RUNNING, remote=Remote("there"))
    [job] = await observe(database)
    await give_back(database, job)
    assert await observe(database) == []

    async with database.write() as connection:
        await jobs.make_due_at(connection, "simulated", "elsewhere")
        await jobs.make_due_at(connection, "simulated", "there")

    [again] = await observe(database)
    await give_back(database, again)
    assert await observe(database) == []


async def observe(database: Database) -> list[Job]:
    async with database.write() as connection:
        claimed = await queues.claim(
            connection, provider="simulated", awaiting=AWAITS_OBSERVATION, owner="me", limit=5
        )
    return [job for job, _ in claimed]


async def give_back(database: Database, job: Job, *, keep_lease: bool = False) -> None:
    look_later = Decision(look_again_in=900.0)
    async with database.write() as connection:
        assert await decisions.apply(connection, job, look_later, keep_lease=keep_lease)


async def test_events_of_many_writers_have_no_gap(database: Database) -> None:
    [job] = await add(database, 1)

    async def wish(number: int) -> None:
        async with database.write() as connection:
            await jobs.change(connection, job.id, {}, Event("test.wish", {"number": number}))

    await asyncio.gather(*(wish(number) for number in range(25)))

    async with database.read() as connection:
        events = await jobs.events_after(connection, job.id, 0, 100)
        kept = await jobs.find(connection, job.id)
    assert [event.seq for event in events] == list(range(1, 27))
    assert kept is not None
    assert kept.event_count == 26


async def test_the_clock_of_an_embedded_database_can_be_given(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    now = 1_000
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    database = Database(embedded_url(tmp_path), clock=lambda: now)
    await add(database, 1)
    async with database.write() as connection:
        [(job, claimed_at)] = await queues.claim(
            connection, provider="simulated", awaiting=AWAITS_CREATION, owner="me", limit=1
        )
    assert claimed_at == 1_000

    now += int(leases.LEASE_SECONDS * 1000) - 1
    assert await claim(database) == []
    now += 1
    assert [again.id for again in await claim(database)] == [job.id]

    await database.dispose()


async def test_every_open_job_waits_for_one_chore(database: Database) -> None:
    states = [
        {"status": status, "desired": desired, "intent_at": intent}
        for status in JobStatus
        for desired in Desired
        for intent in (None, 1)
    ]
    added = {(await add(database, 1, **state))[0].id: state for state in states}

    claimed: list[str] = []
    async with database.write() as connection:
        for chore in (AWAITS_CREATION, AWAITS_LOOK_UP, AWAITS_STEERING, AWAITS_OBSERVATION):
            taken = await queues.claim(
                connection, provider="simulated", awaiting=chore, owner="me", limit=len(states)
            )
            claimed += [job.id for job, _ in taken]

    resting = {
        id_
        for id_, state in added.items()
        if state["status"] in FINAL
        or (state["status"] == JobStatus.BLOCKED and state["desired"] != Desired.CANCEL)
    }
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == set(added) - resting
    async with database.read() as connection:
        assert not await queues.is_any_due(connection, "simulated")
