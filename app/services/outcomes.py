"""Outcomes: what jobs began from and what they left, for whoever tells of a job in full."""

from collections.abc import Mapping, Sequence

import msgspec

from app.domain.jobs import Job
from app.domain.models import TunedModel
from app.storage import files, models
from app.storage.database import Database


class Outcome(msgspec.Struct, frozen=True):
    """A job's tuned model, the one that it continues, and its results files."""

    model: TunedModel | None
    parent: TunedModel | None
    results: list[str]


class Outcomes:
    """What a user learns of jobs beyond the jobs themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        """By the jobs' ids; what was deleted since is None."""
        wanted = {id_ for job in jobs for id_ in (job.tuned_model_id, job.parent_model_id) if id_}
        ended = [job.id for job in jobs if job.tuned_model_id]
        async with self._database.read() as connection:
            known = await models.find_many(connection, sorted(wanted)) if wanted else {}
            results = await files.results_of(connection, ended) if ended else {}
        return {
            job.id: Outcome(
                known.get(job.tuned_model_id or ""),
                known.get(job.parent_model_id or ""),
                results.get(job.id, []),
            )
            for job in jobs
        }
