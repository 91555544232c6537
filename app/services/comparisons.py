"""Comparisons: one recipe on several targets, trained under one budget and measured together."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.comparisons import Comparison, Contender, caps
from app.domain.datasets import Dataset, DatasetKind
from app.domain.errors import (
    ComparisonFinished,
    Fault,
    HeldOutMissing,
    LuthierError,
    TargetsUnfit,
)
from app.domain.idempotency import Idempotency
from app.domain.jobs import Desired, Job, Method
from app.domain.metrics import check_metrics
from app.domain.migrations import Note
from app.domain.provider import Operation, Provider
from app.domain.translating import Translation, translate
from app.domain.wishes import wished
from app.services import recipes
from app.services.created import Created
from app.services.jobs import queue
from app.services.offers import offered
from app.services.once import once
from app.services.preparing import MAX_SEED, Preparation, WantedJob
from app.services.quotes import QuoteTarget
from app.storage import comparisons, datasets, idempotency, jobs
from app.storage.database import Database
from app.storage.ids import new_id
from app.storage.signals import JOB_CHANGED, WORK_DUE, Signals


class WantedComparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for; datasets by reference."""

    dataset: str
    validation_dataset: str | None
    validation_split: float | None
    held_out: str
    metrics: list[str]
    method: Method
    seed: int | None
    targets: Sequence[QuoteTarget]
    include_bases: bool
    budget_usd: Decimal | None
    name: str | None
    tags: dict[str, str]


class Watched(msgspec.Struct, frozen=True):
    """A comparison with its jobs as they stand now."""

    comparison: Comparison
    jobs: Mapping[str, Job]


class Comparisons:
    """What a user does to see targets side by side."""

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

    async def create(
        self, wanted: WantedComparison, key: Idempotency | None = None
    ) -> Created[Watched]:
        """Queue a job for each target, or none where one of them would be refused.

        Raises `TargetsUnfit`, `OverBudget` and `HeldOutMissing`.
        """
        created = await once(self._database, key, Comparison, lambda: self._create(wanted, key))
        return Created(await self.get(created.thing.id), is_replay=created.is_replay)

    async def _create(
        self, wanted: WantedComparison, key: Idempotency | None
    ) -> Created[Comparison]:
        check_metrics(wanted.metrics, pointer="/evaluate/metrics")
        dataset, held_out = await self._datasets(wanted)
        seeded = msgspec.structs.replace(wanted, seed=_seed(wanted))
        prepared = _capped(await self._prepare(seeded, dataset), wanted.budget_usd)
        comparison = self._comparison(wanted, dataset, held_out, prepared)
        async with self._database.write() as connection:
            await idempotency.keep(connection, key, comparison)
            await _store(connection, comparison, [job for job, _ in prepared])
        self._signals.send(WORK_DUE)
        return Created(comparison)

    async def get(self, comparison_id: str) -> Watched:
        """The comparison of that id; raises `ComparisonNotFound`."""
        async with self._database.read() as connection:
            comparison = await comparisons.get(connection, comparison_id)
            return Watched(comparison, await jobs.find_many(connection, _job_ids(comparison)))

    async def list_page(self, *, before: str | None, limit: int) -> list[Watched]:
        """Comparisons, newest first."""
        async with self._database.read() as connection:
            found = await comparisons.list_page(connection, before=before, limit=limit)
            ids = [id_ for comparison in found for id_ in _job_ids(comparison)]
            known = await jobs.find_many(connection, ids)
        return [Watched(comparison, known) for comparison in found]

    async def cancel(self, comparison_id: str) -> Watched:
        """End the comparison, and wish for the end of those of its jobs that are under way."""
        async with self._database.write() as connection:
            comparison = await comparisons.get(connection, comparison_id, lock=True)
            if comparison.status.is_final:
                raise ComparisonFinished(f"The comparison has already {comparison.status}.")
            for job_id in sorted(_job_ids(comparison)):
                await self._cancel_job(connection, job_id)
            await comparisons.cancel(connection, comparison)
        self._signals.send(WORK_DUE)
        self._signals.send(JOB_CHANGED)
        return await self.get(comparison_id)

    async def _cancel_job(self, connection: AsyncConnection, job_id: str) -> None:
        job = await jobs.lock(connection, job_id)
        if job is None or job.status.is_final:
            return
        provider = self._providers.get(job.provider)
        if provider is None or Operation.CANCEL not in provider.spec.operations:
            return
        change = wished(job, Desired.CANCEL, operation=Operation.CANCEL)
        if change is not None:
            await jobs.change(connection, job.id, *change)

    async def _datasets(self, wanted: WantedComparison) -> tuple[Dataset, Dataset]:
        """What is trained on, and what is compared on."""
        async with self._database.read() as connection:
            dataset = await datasets.get(connection, wanted.dataset)
            held_out = await datasets.get(connection, wanted.held_out)
        recipes.check_kind(held_out, DatasetKind.CHAT, pointer="/evaluate/dataset")
        if held_out.sha256 == dataset.sha256:
            fault = Fault("held_out_missing", "name other examples", "/evaluate/dataset")
            raise HeldOutMissing(
                "The models would be compared on what they are trained on.", faults=[fault]
            )
        return dataset, held_out

    async def _prepare(
        self, wanted: WantedComparison, dataset: Dataset
    ) -> list[tuple[Job, list[Note]]]:
        """A job for each target; raises `TargetsUnfit` with all that speaks against any."""
        prepared: list[tuple[Job, list[Note]]] = []
        faults: list[Fault] = []
        for number, target in enumerate(wanted.targets):
            try:
                translation = await self._translate(wanted.method, target)
                job = await self._preparation.prepare(_job(wanted, dataset, target, translation))
            except LuthierError as error:
                faults.append(Fault(error.code, error.detail, f"/targets/{number}"))
            else:
                prepared.append((job, translation.notes))
        if faults:
            raise TargetsUnfit(
                "Nothing was begun, because some targets cannot be trained: "
                + "; ".join(fault.message for fault in faults),
                faults=faults,
            )
        return prepared

    async def _translate(self, method: Method, target: QuoteTarget) -> Translation:
        provider = recipes.named(self._providers, target.provider)
        base = await offered(self._database, provider, target.provider, target.base_model)
        # A rate that is asked for here is meant for all targets that can be told one.
        return translate(method, base, keeps_rate=True)

    def _comparison(
        self,
        wanted: WantedComparison,
        dataset: Dataset,
        held_out: Dataset,
        prepared: Sequence[tuple[Job, list[Note]]],
    ) -> Comparison:
        return Comparison(
            id=new_id("cmp"),
            name=wanted.name,
            tags=wanted.tags,
            dataset=dataset.ref,
            held_out=held_out.ref,
            metrics=wanted.metrics,
            method=wanted.method,
            include_bases=wanted.include_bases,
            budget_usd=wanted.budget_usd,
            contenders=[
                Contender(
                    provider=job.provider, base_model=job.base_model, job_id=job.id, notes=notes
                )
                for job, notes in prepared
            ],
            created_at=self._clock(),
        )


async def _store(connection: AsyncConnection, comparison: Comparison, made: Sequence[Job]) -> None:
    await datasets.hold(connection, comparison.held_out.id)
    await comparisons.add(connection, comparison)
    for job in made:
        await queue(connection, job, comparison=comparison.id)


def _seed(wanted: WantedComparison) -> int:
    """One for all, so that all set the same examples aside."""
    return secrets.randbelow(MAX_SEED) if wanted.seed is None else wanted.seed


def _job(
    wanted: WantedComparison, dataset: Dataset, target: QuoteTarget, translation: Translation
) -> WantedJob:
    return WantedJob(
        provider=target.provider,
        base_model=target.base_model,
        dataset=dataset.id,
        validation_dataset=wanted.validation_dataset,
        validation_split=wanted.validation_split,
        method=translation.method,
        name=wanted.name,
        seed=wanted.seed,
        tags=wanted.tags,
        budget_usd=None,
        evaluate=None,
    )


def _capped(
    prepared: list[tuple[Job, list[Note]]], budget: Decimal | None
) -> list[tuple[Job, list[Note]]]:
    """The jobs, each with its share of the one budget."""
    if budget is None:
        return prepared
    shares = caps([job.cost.quoted_usd for job, _ in prepared], budget)
    return [
        (
            msgspec.structs.replace(job, cost=msgspec.structs.replace(job.cost, budget_usd=share)),
            notes,
        )
        for (job, notes), share in zip(prepared, shares, strict=True)
    ]


def _job_ids(comparison: Comparison) -> list[str]:
    return [one.job_id for one in comparison.contenders]
