"""From a plan to a job: compile, upload, wait until the files are read, create."""

import time
from collections.abc import Sequence

from app.domain.compiling import Compiler
from app.domain.datasets import DatasetKind
from app.domain.errors import Later, Never
from app.domain.jobs import Remote
from app.domain.provider import ExampleSource, TrainingPlan
from app.providers.openai_wire.files import Files, Gone
from app.providers.openai_wire.jobs import Jobs
from app.providers.openai_wire.refusals import preparing
from app.providers.openai_wire.sending import compiled

LONGEST_PREPARATION_SECONDS = 5.0
"""Beyond it the create waits for the next try, so that it follows close upon its intent."""

DISK_RETRY_SECONDS = 30.0

_REMEMBERED = 1000


class Submission:
    """Submits plans to one account; `folder` is where compiled files lie until they are sent."""

    def __init__(self, jobs: Jobs, files: Files, *, vendor: str, folder: str) -> None:
        self._jobs = jobs
        self._files = files
        self._vendor = vendor
        self._folder = folder
        self._prepared: dict[str, Sequence[str]] = {}

    async def submit(self, plan: TrainingPlan, compiler: Compiler, kind: DatasetKind) -> Remote:
        """Create the job; `Later` for as long as its files are on the way."""
        training, *validation = await self._prepare(plan, compiler, kind)
        try:
            with preparing(self._vendor):
                for file_id in (training, *validation):
                    await self._files.require_ready(file_id)
            remote = await self._jobs.create(plan, training, validation[0] if validation else None)
        except (Gone, Never):
            self._prepared.pop(plan.key, None)
            raise
        self._prepared.pop(plan.key, None)
        return remote

    async def _prepare(
        self, plan: TrainingPlan, compiler: Compiler, kind: DatasetKind
    ) -> Sequence[str]:
        """The ids of the plan's files at the vendor, remembered until the create."""
        known = self._prepared.get(plan.key)
        if known is not None:
            return known
        began = time.monotonic()
        sources = [plan.training, *([plan.validation] if plan.validation else [])]
        with preparing(self._vendor):
            file_ids = [await self._put(source, compiler, kind) for source in sources]
        if len(self._prepared) >= _REMEMBERED:
            self._prepared.clear()
        self._prepared[plan.key] = file_ids
        if time.monotonic() - began > LONGEST_PREPARATION_SECONDS:
            raise Later("The files are uploaded.", retry_after=0.0)
        return file_ids

    async def _put(self, source: ExampleSource, compiler: Compiler, kind: DatasetKind) -> str:
        try:
            sent = await compiled(source, compiler, kind, folder=self._folder)
        except OSError as error:
            problem = f"The compiled file cannot be written or read here ({error})."
            raise Later(problem, retry_after=DISK_RETRY_SECONDS) from error
        try:
            return await self._files.put(sent)
        finally:
            sent.close()
