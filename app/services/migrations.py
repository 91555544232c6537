"""Migrations: a tuned model made anew at another provider, from its own data and recipe."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel
from app.domain.datasets import Dataset
from app.domain.errors import Fault, LuthierError
from app.domain.evaluations import Candidate, Gate
from app.domain.idempotency import Idempotency
from app.domain.jobs import Job
from app.domain.migrations import Baseline, HeldOut, Migration
from app.domain.provider import Provider
from app.domain.quotes import Quote
from app.domain.translating import Translation, overridden, translate
from app.services import recipes
from app.services.aliases import check_gate, gate_of
from app.services.created import Created
from app.services.evaluations import WantedGate
from app.services.hosting import deploys
from app.services.jobs import queue
from app.services.models import Models
from app.services.offers import offered
from app.services.once import once
from app.services.preparing import Preparation, WantedEvaluation, WantedJob, base_of
from app.services.quotes import Quotes, QuoteTarget
from app.services.replacing import (
    Baselines,
    Original,
    alias_to_move,
    gate_for,
    held_out_for,
    original_of,
)
from app.storage import idempotency
from app.storage.database import Database
from app.storage.signals import WORK_DUE, Signals


class WantedMigration(msgspec.Struct, frozen=True, kw_only=True):
    """Where to, and what is to differ from what the model's own job says; None for nothing."""

    provider: str
    base_model: str
    hyperparameters: dict[str, Any]
    dataset: str | None
    """The held-out one."""

    metrics: list[str] | None
    gate: WantedGate | None
    promote: str | None
    moves_its_alias: bool
    """Whether the alias that the model was named by is to mean the new one."""

    budget_usd: Decimal | None


class MigrationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration does, costs and loses; `reasons` say why it cannot be done."""

    job: WantedJob
    migration: Migration
    dataset: Dataset
    held_out: HeldOut
    quote: Quote
    remarks: list[str]
    reasons: list[Fault] = []


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is migrated, and how the new model is judged."""

    original: Original
    base_model: str
    held_out: HeldOut
    baseline: Baseline
    metrics: list[str]
    gate: Gate
    promote: str | None


class Migrated(msgspec.Struct, frozen=True):
    """The job that makes the model anew, and the plan that it follows."""

    job: Job
    plan: MigrationPlan


class Migrations:
    """What a user does to take a tuned model to another provider."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        models: Models,
        quotes: Quotes,
        preparation: Preparation,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._models = models
        self._quotes = quotes
        self._preparation = preparation
        self._signals = signals
        self._baselines = Baselines(providers, clock=clock)

    async def plan(self, reference: str, wanted: WantedMigration) -> MigrationPlan:
        """What would be done, lost and paid; nothing is created, sent or spent."""
        plan = await self._plan(reference, wanted)
        try:
            await self._preparation.prepare(plan.job)
        except LuthierError as error:
            reasons = list(error.faults) or [Fault(error.code, error.detail)]
            return msgspec.structs.replace(plan, reasons=reasons)
        return plan

    async def create(
        self, reference: str, wanted: WantedMigration, key: Idempotency | None = None
    ) -> Created[Migrated]:
        """Queue the job that makes the model anew; everything known to be wrong is refused."""

        async def make() -> Created[Migrated]:
            plan = await self._plan(reference, wanted)
            job = await self._preparation.prepare(plan.job)
            migrated = Migrated(job, plan)
            async with self._database.write() as connection:
                await idempotency.keep(connection, key, migrated)
                await queue(connection, job, migrated_from=plan.migration.replaced.name)
            self._signals.send(WORK_DUE)
            return Created(migrated)

        return await once(self._database, key, Migrated, make)

    async def _plan(self, reference: str, wanted: WantedMigration) -> MigrationPlan:
        if wanted.gate is not None:
            check_gate(wanted.gate)
        terms = await self._terms(reference, wanted)
        translation = await self._translate(terms.original, wanted, terms.base_model)
        migration = Migration(
            replaced=terms.original.candidate,
            baseline=terms.baseline,
            gate=terms.gate,
            notes=translation.notes,
        )
        target = QuoteTarget(wanted.provider, terms.base_model)
        dataset = terms.original.dataset
        compared = await self._quotes.compare(dataset.id, translation.method, [target])
        return MigrationPlan(
            job=_job(wanted, terms, translation, migration),
            migration=migration,
            dataset=dataset,
            held_out=terms.held_out,
            quote=_to_keep(compared.quotes[0]),
            remarks=self._remarks(terms.original, wanted),
        )

    async def _terms(self, reference: str, wanted: WantedMigration) -> Terms:
        """What is migrated, and how it is to be judged; raises where that cannot be said."""
        model = await self._models.get(reference)
        named_by = reference if reference != model.id and wanted.moves_its_alias else None
        promote = wanted.promote or named_by
        async with self._database.read() as connection:
            original = await original_of(connection, model)
            base, _ = await base_of(connection, wanted.provider, wanted.base_model)
            held_out = await held_out_for(connection, original, wanted.dataset)
            untuned = Candidate(f"{wanted.provider}/{base}", wanted.provider, base)
            baseline = await self._baselines.choose(connection, original, held_out, untuned)
            alias = await alias_to_move(connection, promote, original.candidate)
            asked = await gate_of(connection, wanted.gate)
        metrics = wanted.metrics or _metrics(original)
        return Terms(
            original=original,
            base_model=base,
            held_out=held_out,
            baseline=baseline,
            metrics=metrics,
            gate=gate_for(asked, alias, metrics, baseline),
            promote=promote,
        )

    async def _translate(
        self, original: Original, wanted: WantedMigration, base_model: str
    ) -> Translation:
        """The recipe in the words of the provider that it goes to."""
        provider = recipes.named(self._providers, wanted.provider)
        base = await offered(self._database, provider, wanted.provider, base_model)
        before = self._providers.get(original.model.provider)
        same_vendor = before is not None and before.spec.kind == provider.spec.kind
        keeps_rate = same_vendor and original.model.base_model == base.name
        found = translate(original.method, base, keeps_rate=keeps_rate)
        return overridden(found, wanted.hyperparameters)

    def _remarks(self, original: Original, wanted: WantedMigration) -> list[str]:
        """What a person should know of this migration and would not see elsewhere."""
        remarks: list[str] = []
        parent = original.model.parent_model_id
        if parent is not None and not wanted.base_model.startswith("model_"):
            remarks.append(
                f"{original.model.id} went on from {parent}; only what it was trained on itself "
                f"is taken along. Migrate {parent} first, and name its successor as base_model."
            )
        if deploys(recipes.named(self._providers, wanted.provider)):
            remarks.append(
                f"What is tuned at {wanted.provider} answers only while it is deployed: deploy "
                "the new model as soon as it is there, so that it can be evaluated."
            )
        return remarks


def _to_keep(quote: Quote) -> Quote:
    """The quote as an answer is kept: with the base model alone, without how it was listed."""
    fields = {name: getattr(quote.base_model, name) for name in BaseModel.__struct_fields__}
    return msgspec.structs.replace(quote, base_model=BaseModel(**fields))


def _metrics(original: Original) -> list[str]:
    evaluated = original.job.evaluate if original.job else None
    return evaluated.metrics if evaluated else ["exact_match"]


def _job(
    wanted: WantedMigration, terms: Terms, translation: Translation, migration: Migration
) -> WantedJob:
    original = terms.original
    job = original.job
    validation = job.validation_dataset if job else None
    return WantedJob(
        provider=wanted.provider,
        base_model=wanted.base_model,
        dataset=original.dataset.id,
        validation_dataset=validation.id if validation else None,
        validation_split=job.validation_split if job else None,
        method=translation.method,
        name=original.model.name,
        seed=job.seed if job else None,
        tags=job.tags if job else {},
        budget_usd=wanted.budget_usd,
        evaluate=WantedEvaluation(terms.held_out.dataset.id, terms.metrics),
        promote=terms.promote,
        migration=migration,
    )
