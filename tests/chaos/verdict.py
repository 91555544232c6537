"""What a storm has left: read from the database, and from what the vendors remember."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import func, select

from app.domain.errors import DatabaseUnavailable
from app.domain.jobs import FINAL, JobStatus
from app.storage.database import Database
from app.storage.jobs import EventRow, JobRow
from app.storage.models import ModelRow
from tests.chaos.page import say
from tests.chaos.stages import VendorStage

LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Left:
    """A job as it stands at the end, with what there is of it elsewhere."""

    status: str
    creations: int
    """At its vendor, over all its attempts."""

    models: int
    events: int
    """Beside those that it should have."""


async def follow(database: Database) -> None:
    """Return once every job has ended; says meanwhile how many have not."""
    while True:
        with suppress(DatabaseUnavailable):
            left_over = await _open(database)
            say(f"{left_over} jobs have not ended", passing=True)
            if not left_over:
                return
        await asyncio.sleep(LOOK_SECONDS)


async def left(database: Database, stages: Mapping[str, VendorStage]) -> dict[str, Left]:
    """All jobs that there are, by their ids."""
    models = select(func.count()).where(ModelRow.job_id == JobRow.id).scalar_subquery()
    events = select(func.count()).where(EventRow.job_id == JobRow.id).scalar_subquery()
    query = select(
        *(JobRow.id, JobRow.provider, JobRow.status, JobRow.attempt),
        *(models, JobRow.event_count - events),
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return {
        id_: Left(status, _creations(stages[provider], id_, attempts), *counts)
        for id_, provider, status, attempts, *counts in rows
    }


def judge(ordered: Mapping[str, str], jobs: Mapping[str, Left]) -> dict[str, int]:
    """How many jobs ended in which way, and how many went wrong; `ordered` are ids by keys."""
    found = [jobs[id_] for id_ in ordered.values() if id_ in jobs]
    ended = Counter(job.status for job in found)
    return {
        **{f"jobs {status}": number for status, number in sorted(ended.items())},
        "lost: not there, or not at an end": len(ordered)
        - sum(job.status in FINAL for job in found),
        "doubled: jobs beyond one for each key": len(jobs) - len(set(ordered.values())),
        "doubled: created twice at the vendor": sum(job.creations > 1 for job in found),
        "succeeded without a creation": sum(
            job.status == JobStatus.SUCCEEDED and not job.creations for job in found
        ),
        "succeeded with no model, or with two": sum(
            job.models != (job.status == JobStatus.SUCCEEDED) for job in found
        ),
        "events lost or doubled": sum(abs(job.events) for job in found),
    }


def is_clean(figures: Mapping[str, int]) -> bool:
    """Whether nothing but the ends of jobs is to be told."""
    return not any(number for name, number in figures.items() if not name.startswith("jobs "))


def _creations(stage: VendorStage, id_: str, attempts: int) -> int:
    key = id_.replace("_", "-", 1)
    return sum(stage.creations(f"{key}-{attempt}") for attempt in range(1, attempts + 1))


async def _open(database: Database) -> int:
    query = select(func.count()).where(JobRow.status.not_in(sorted(FINAL)))
    async with database.read() as connection:
        return (await connection.execute(query)).scalar_one()
