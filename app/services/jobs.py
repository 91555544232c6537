"""Jobs: creating, watching, and the wishes that the reconciler carries out."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.aliases import promotion_gate
from app.domain.datasets import DatasetKind
from app.domain.errors import (
    BaseModelUnknown,
    CandidateInvalid,
    Fault,
    JobFinished,
    JobNotFinished,
    JobNotFound,
    OperationNotSupported,
    OverBudget,
)
from app.domain.idempotency import Idempotency
from app.domain.jobs import (
    Checkpoint,
    Desired,
    EvaluationWish,
    Event,
    Job,
    JobCost,
    JobFiles,
    JobFilter,
    JobStatus,
    Method,
    MetricPoint,
    StoredEvent,
    current_attempt,
    day_of,
)
from app.domain.ledger import of_training
from app.domain.metrics import METRICS
from app.domain.provider import Operation, Provider
from app.domain.quotes import Quote
from app.services import recipes
from app.services.compilations import Compilations
from app.services.created import Created
from app.services.quotes import Quotes
from app.storage import aliases, datasets, idempotency, jobs, ledger, models
from app.storage.database import Database
from app.storage.gathering import Gathering
from app.storage.idempotency import KeyTaken
from app.storage.ids import new_id
from app.storage.signals import JOB_CHANGED, WORK_DUE, Signals

MAX_SEED = 2**31 - 1


class WantedEvaluation(msgspec.Struct, frozen=True):
    """An evaluation to run once the model is there."""

    dataset: str
    metrics: list[str]


class WantedJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for; datasets by reference, the base model by name or a tuned model's id."""

    provider: str
    base_model: str
    dataset: str
    validation_dataset: str | None
    validation_split: float | None
    method: Method
    name: str | None
    seed: int | None
    tags: dict[str, str]
    budget_usd: Decimal | None
    evaluate: WantedEvaluation | None
    promote: str | None = None
    files: JobFiles | None = None


class Jobs:
    """What a user does with jobs."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        compilations: Compilations,
        quotes: Quotes,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._compilations = compilations
        self._quotes = quotes
        self._signals = signals
        self._clock = clock
        self._reading = Gathering(self._read)

    async def create(self, wanted: WantedJob, key: Idempotency | None = None) -> Created[Job]:
        """Queue a job, after refusing everything that can be known to be wrong."""
        first = await self._first_answer(key)
        if first is not None:
            return Created(first, is_replay=True)
        job = await self._prepare(wanted)
        try:
            async with self._database.write() as connection:
                await idempotency.keep(connection, key, job)
                for dataset_id in _dataset_ids(job):
                    await datasets.hold(connection, dataset_id)
                await jobs.add(connection, job, Event("job.created"))
                await ledger.put(connection, of_training(job))
        except KeyTaken:
            return await self.create(wanted, key)
        self._signals.send(WORK_DUE)
        return Created(job)

    async def get(self, job_id: str) -> Job:
        """The job of that id; raises `JobNotFound`."""
        return _found(await self._reading.get(job_id), job_id)

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
            return await jobs.metrics_after(connection, job, after, limit)

    async def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The current attempt's checkpoints."""
        async with self._database.read() as connection:
            job = _found(await jobs.find(connection, job_id), job_id)
            return await jobs.checkpoints(connection, job)

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
        """Begin a new attempt of a job that failed, was cancelled or waits for its user.

        One that was parked with something at its provider goes on with the attempt that it has.
        """

        async def write(job: Job) -> tuple[dict[str, Any], Event]:
            if job.status is JobStatus.SUCCEEDED:
                raise JobFinished("The job succeeded; create a new one to train again.")
            if not (job.status.is_final or job.status is JobStatus.BLOCKED):
                raise JobNotFinished(f"The job is {job.status}; cancel it before a retry.")
            if job.status is JobStatus.BLOCKED and _may_be_at_provider(job):
                return _unparked(job, job.desired), Event("job.resumed", {"attempt": job.attempt})
            if job.dataset is None:
                raise OperationNotSupported(
                    "The job was imported without its dataset; create a new job with one."
                )
            return _next_attempt(job), Event("job.retried", {"attempt": job.attempt + 1})

        return await self._change(job_id, write)

    async def _wish(self, job_id: str, desired: Desired, operation: Operation) -> Job:
        async def write(job: Job) -> tuple[dict[str, Any], Event] | None:
            if job.status.is_final:
                raise JobFinished(f"The job has already {_ENDINGS[job.status]}.")
            self._offering(job, operation)
            if job.desired is Desired.CANCEL and desired is not Desired.CANCEL:
                raise JobFinished("The job is being cancelled.")
            if job.desired is desired and not _is_stuck(job):
                return None
            return _wished(job, desired), Event(f"job.{operation}_requested")

        return await self._change(job_id, write)

    async def _change(
        self,
        job_id: str,
        write: Callable[[Job], Awaitable[tuple[dict[str, Any], Event] | None]],
    ) -> Job:
        async with self._database.write() as connection:
            job = _found(await jobs.lock(connection, job_id), job_id)
            change = await write(job)
            if change is None:
                return job
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
        async with self._database.read() as connection:
            return await jobs.find_many(connection, ids)

    async def _first_answer(self, key: Idempotency | None) -> Job | None:
        if key is None:
            return None
        async with self._database.read() as connection:
            return await idempotency.find(connection, key, Job)

    async def _prepare(self, wanted: WantedJob) -> Job:
        provider = recipes.named(self._providers, wanted.provider)
        async with self._database.read() as connection:
            base_model, parent_id = wanted.base_model, None
            if base_model.startswith("model_"):
                parent = await models.get(connection, base_model)
                if parent.provider != wanted.provider:
                    raise BaseModelUnknown(
                        f"{base_model} lives at {parent.provider}; continue it there.",
                        faults=[Fault("base_model_unknown", "another provider", "/base_model")],
                    )
                base_model, parent_id = parent.base_model, parent.id
            dataset = await datasets.get(connection, wanted.dataset)
            validation = wanted.validation_dataset and await datasets.get(
                connection, wanted.validation_dataset
            )
            test = wanted.evaluate and await datasets.get(connection, wanted.evaluate.dataset)
            if wanted.promote is not None:
                await _check_promotion(connection, wanted.promote)
        if wanted.evaluate is not None:
            check_metrics(wanted.evaluate.metrics, pointer="/evaluate/metrics")
        recipe = await recipes.checked(provider, base_model, wanted.method, dataset)
        recipes.check_size(dataset, recipe.base_model)
        recipes.check_configured(provider)
        recipes.check_open(provider, recipe.base_model, today=day_of(self._clock()))
        if validation:
            recipes.check_kind(validation, dataset.kind, pointer="/validation_dataset")
        if test:
            recipes.check_kind(test, DatasetKind.CHAT, pointer="/evaluate/dataset")
        compilation = await self._compilations.require(dataset, provider, recipe)
        quote = await self._quotes.for_recipe(wanted.provider, recipe, compilation)
        return Job(
            id=new_id("job"),
            name=wanted.name,
            provider=wanted.provider,
            base_model=base_model,
            parent_model_id=parent_id,
            dataset=dataset.ref,
            validation_dataset=validation.ref if validation else None,
            validation_split=wanted.validation_split,
            files=wanted.files,
            method=wanted.method,
            seed=secrets.randbelow(MAX_SEED) if wanted.seed is None else wanted.seed,
            tags=wanted.tags,
            cost=_within_budget(quote, wanted.budget_usd),
            evaluate=EvaluationWish(test.id, wanted.evaluate.metrics)
            if test and wanted.evaluate
            else None,
            promote=wanted.promote,
            event_count=1,
            created_at=self._clock(),
        )


def check_metrics(names: list[str], *, pointer: str) -> None:
    """Raise `CandidateInvalid` for a metric that does not exist."""
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise CandidateInvalid(
            f"Metrics must be some of {', '.join(METRICS)}.",
            faults=[Fault("metric_unknown", f"`{name}` is no metric", pointer) for name in unknown],
        )


async def _check_promotion(connection: AsyncConnection, name: str) -> None:
    """Refuse what no evaluation of a job could bring about."""
    alias = await aliases.find(connection, name)
    if alias is not None and alias.gate != promotion_gate(alias.gate):
        raise CandidateInvalid(
            f"The gate of {name} asks a judge, which the evaluation of a job does not have: "
            "compare the models afterwards, and move the alias by hand.",
            faults=[Fault("judge_missing", "the alias's gate asks a judge", "/promote/alias")],
        )


def _within_budget(quote: Quote, budget: Decimal | None) -> JobCost:
    """What the job may cost; raises `OverBudget`."""
    low, high = (quote.cost.low, quote.cost.high) if quote.cost else (None, None)
    if budget is not None and high is None:
        raise OverBudget(
            f"Nobody knows what {quote.base_model.name} costs at {quote.provider}: set its price "
            "in the operator's catalogue, or leave budget_usd out.",
            faults=[Fault("cost_unknown", "no price is known", "/budget_usd")],
        )
    if budget is not None and high is not None and high > budget:
        raise OverBudget(
            f"The training may cost {low} to {high} USD, which is over the budget of {budget}. "
            "Train fewer epochs or examples, choose another base model, or raise the budget.",
            faults=[Fault("over_budget", f"quoted at up to {high} USD", "/budget_usd")],
        )
    return JobCost(quoted_low_usd=low, quoted_usd=high, budget_usd=budget)


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


_ENDINGS = {
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "been cancelled",
}


def _wished(job: Job, desired: Desired) -> dict[str, Any]:
    """A wish shows at once where the job is at its provider; what comes of it is observed."""
    changes: dict[str, Any] = {"desired": desired}
    if desired is Desired.CANCEL and job.status is JobStatus.BLOCKED:
        return changes | _unparked(job, desired)
    if desired is Desired.CANCEL and job.remote is not None:
        return changes | {"status": JobStatus.CANCELLING}
    return changes


def _is_stuck(job: Job) -> bool:
    """Parked on its way to its end: asking for that again is news."""
    return job.status is JobStatus.BLOCKED and job.desired is Desired.CANCEL


def _may_be_at_provider(job: Job) -> bool:
    return job.remote is not None or job.intent_at is not None


def _unparked(job: Job, desired: Desired) -> dict[str, Any]:
    """Back to where the reconciler finds out what there is at the provider."""
    status = JobStatus.QUEUED
    if job.remote is not None:
        status = JobStatus.CANCELLING if desired is Desired.CANCEL else JobStatus.RUNNING
    elif job.intent_at is not None:
        status = JobStatus.SUBMITTING
    return {"status": status, "status_detail": None}


_OF_ONE_ATTEMPT = (
    "status_detail",
    "unreachable_since",
    "progress",
    "remote",
    "error",
    "intent_at",
    "cursor",
    "observed_at",
    "started_at",
    "finished_at",
)


def _next_attempt(job: Job) -> dict[str, Any]:
    """Everything that belongs to one attempt begins anew; the past one is kept in `attempts`."""
    fresh = dict.fromkeys(_OF_ONE_ATTEMPT)
    return fresh | {
        "status": JobStatus.QUEUED,
        "desired": Desired.RUN,
        "metrics": {},
        "failures": 0,
        "attempt": job.attempt + 1,
        "attempts": [*job.attempts, current_attempt(job)],
    }
