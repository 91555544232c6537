"""Jobs: creating, watching, and the wishes that the reconciler carries out."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import (
    JobNotFound,
    OperationNotSupported,
)
from app.domain.idempotency import Idempotency
from app.domain.jobs import (
    Checkpoint,
    Desired,
    Event,
    Job,
    JobFilter,
    MetricPoint,
    StoredEvent,
)
from app.domain.ledger import of_training
from app.domain.provider import Operation, Provider
from app.domain.wishes import Change, retried, wished
from app.services import recipes
from app.services.created import Created
from app.services.once import once
from app.services.preparing import Preparation, WantedJob
from app.services.spending import hold_to_limits
from app.storage import datasets, idempotency, job_series, jobs, ledger
from app.storage.database import Database
from app.storage.gathering import Gathering
from app.storage.signals import JOB_CHANGED, WORK_DUE, Signals
from app.storage.tenancy import as_service, is_mine


class Jobs:
    """What a user does with jobs."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        preparation: Preparation,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._preparation = preparation
        self._signals = signals
        self._clock = clock
        self._reading = Gathering(self._read)

    async def create(self, wanted: WantedJob, key: Idempotency | None = None) -> Created[Job]:
        """Queue a job, after refusing everything that can be known to be wrong."""
        return await once(self._database, key, Job, lambda: self._create(wanted, key))

    async def get(self, job_id: str) -> Job:
        """The job of that id; raises `JobNotFound`."""
        job = await self._reading.get(job_id)
        return _found(job if job and is_mine(job.project_id) else None, job_id)

    async def list_page(self, wanted: JobFilter, *, before: str | None, limit: int) -> list[Job]:
        """Jobs, newest first."""
        async with self._database.read() as connection:
            return await jobs.list_page(connection, wanted, before=before, limit=limit)

    async def events(self, job_id: str, *, after: int, limit: int) -> list[StoredEvent]:
        """Events with a number above `after`, oldest first."""
        async with self._database.read() as connection:
            _found(await jobs.find(connection, job_id), job_id)
            return await jobs.events_after(connection, job_id, after, limit)

    async def metrics(self, job_id: str, *, after: int, limit: int) -> list[MetricPoint]:
        """The current attempt's series from a step on."""
        async with self._database.read() as connection:
            job = _found(await jobs.find(connection, job_id), job_id)
            return await job_series.metrics_after(connection, job, after, limit)

    async def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The current attempt's checkpoints."""
        async with self._database.read() as connection:
            job = _found(await jobs.find(connection, job_id), job_id)
            return await job_series.checkpoints(connection, job)

    async def logs(self, job_id: str, *, offset: int) -> tuple[bytes, int]:
        """The attempt's log on this machine from a byte offset, and where to go on."""
        job = await self.get(job_id)
        provider = self._offering(job, Operation.LOGS)
        if job.remote is None:
            return b"", 0
        return await provider.logs(job.remote, offset)

    async def cancel(self, job_id: str) -> Job:
        """Wish for the end of a job; asking again changes nothing."""
        return await self._wish(job_id, Desired.CANCEL, Operation.CANCEL)

    async def pause(self, job_id: str) -> Job:
        """Wish for a pause."""
        return await self._wish(job_id, Desired.PAUSE, Operation.PAUSE)

    async def resume(self, job_id: str) -> Job:
        """Wish that a paused job goes on."""
        return await self._wish(job_id, Desired.RUN, Operation.RESUME)

    async def retry(self, job_id: str) -> Job:
        """Begin a new attempt of a job that failed, was cancelled or waits for its user."""
        return await self._change(job_id, retried)

    async def _create(self, wanted: WantedJob, key: Idempotency | None) -> Created[Job]:
        job = await self._preparation.prepare(wanted)
        async with self._database.write() as connection:
            await idempotency.keep(connection, key, job)
            await queue(connection, job)
        self._signals.send(WORK_DUE)
        return Created(job)

    async def _wish(self, job_id: str, desired: Desired, operation: Operation) -> Job:
        def change(job: Job) -> Change | None:
            if not job.status.is_final:
                self._offering(job, operation)
            return wished(job, desired, operation=operation)

        return await self._change(job_id, change)

    async def _change(self, job_id: str, judge: Callable[[Job], Change | None]) -> Job:
        async with self._database.write() as connection:
            job = _found(await jobs.lock(connection, job_id), job_id)
            change = judge(job)
            if change is None:
                return job
            if job.status.is_final:
                await hold_to_limits(connection, job.cost.quoted_usd)
            changed = await jobs.change(connection, job_id, *change)
        self._signals.send(WORK_DUE)
        self._signals.send(JOB_CHANGED)
        return changed

    def _offering(self, job: Job, operation: Operation) -> Provider:
        provider = recipes.named(self._providers, job.provider)
        if operation not in provider.spec.operations:
            raise OperationNotSupported(f"{provider.spec.title} cannot {operation} a job.")
        return provider

    async def _read(self, ids: Sequence[str]) -> dict[str, Job]:
        # One query answers requests of several projects; each of them looks whose it is.
        with as_service():
            async with self._database.read() as connection:
                return await jobs.find_many(connection, ids)


async def queue(connection: AsyncConnection, job: Job, **told: str) -> None:
    """Store a job that was prepared, in the transaction of whatever else comes with it.

    Raises `SpendLimitReached`.
    """
    await hold_to_limits(connection, job.cost.quoted_usd)
    for dataset_id in _dataset_ids(job):
        await datasets.hold(connection, dataset_id)
    await jobs.add(connection, job, Event("job.created", told))
    await ledger.put(connection, of_training(job))


def _dataset_ids(job: Job) -> list[str]:
    """All that the job will read."""
    others = [job.validation_dataset.id] if job.validation_dataset else []
    if job.evaluate:
        others.append(job.evaluate.dataset_id)
    return [*([job.dataset.id] if job.dataset else []), *others]


def _found(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise JobNotFound(f"There is no job {job_id!r}.")
    return job
