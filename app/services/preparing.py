"""Preparing a job: everything that can be known to be wrong is refused before it is stored."""

import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.aliases import promotion_gate
from app.domain.datasets import DatasetKind
from app.domain.errors import BaseModelUnknown, CandidateInvalid, Fault
from app.domain.jobs import EvaluationWish, Job, JobFiles, Method, day_of
from app.domain.metrics import check_metrics
from app.domain.migrations import Migration
from app.domain.provider import Provider
from app.domain.quotes import within_budget
from app.services import recipes
from app.services.compilations import Compilations
from app.services.offers import offered
from app.services.provenance import Provenance, Side
from app.services.quotes import Quotes
from app.storage import aliases, datasets, models
from app.storage.database import Database
from app.storage.ids import new_id

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
    migration: Migration | None = None


class Preparation:
    """What `POST /jobs` asks before it keeps anything."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        compilations: Compilations,
        quotes: Quotes,
        provenance: Provenance,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._compilations = compilations
        self._quotes = quotes
        self._provenance = provenance
        self._clock = clock

    async def prepare(self, wanted: WantedJob) -> Job:
        """The job, not yet stored; what is wrong is refused with what to do."""
        provider = recipes.named(self._providers, wanted.provider)
        async with self._database.read() as connection:
            base_model, parent_id = await base_of(connection, wanted.provider, wanted.base_model)
            dataset = await datasets.get(connection, wanted.dataset)
            validation = wanted.validation_dataset and await datasets.get(
                connection, wanted.validation_dataset
            )
            test = wanted.evaluate and await datasets.get(connection, wanted.evaluate.dataset)
            if wanted.promote is not None:
                await _check_promotion(connection, wanted.promote)
        if wanted.evaluate is not None:
            check_metrics(wanted.evaluate.metrics, pointer="/evaluate/metrics")
        base = await offered(self._database, provider, wanted.provider, base_model)
        recipe = recipes.checked(provider, base, wanted.method, dataset)
        recipes.check_size(dataset, base, held_out=wanted.validation_split)
        recipes.check_configured(provider)
        recipes.check_open(provider, base, today=day_of(self._clock()))
        if validation:
            recipes.check_kind(validation, dataset.kind, pointer="/validation_dataset")
        if test:
            recipes.check_kind(test, DatasetKind.CHAT, pointer="/evaluate/dataset")
        compilation = await self._compilations.require(dataset, provider, recipe)
        held_out = validation and Side(
            validation,
            await self._compilations.require_validation(validation, provider, recipe),
        )
        quote = await self._quotes.for_recipe(wanted.provider, recipe, compilation)
        cost = within_budget(quote, wanted.budget_usd)
        seed = secrets.randbelow(MAX_SEED) if wanted.seed is None else wanted.seed
        sent = await self._provenance.of(
            provider,
            recipe,
            Side(dataset, compilation),
            held_out or None,
            split=wanted.validation_split,
            seed=seed,
        )
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
            seed=seed,
            tags=wanted.tags,
            sent=sent,
            cost=cost,
            evaluate=EvaluationWish(test.id, wanted.evaluate.metrics)
            if test and wanted.evaluate
            else None,
            promote=wanted.promote,
            migration=wanted.migration,
            event_count=1,
            created_at=self._clock(),
        )


async def base_of(connection: AsyncConnection, provider: str, named: str) -> tuple[str, str | None]:
    """The base model, and the tuned model to continue from where that was named."""
    if not named.startswith("model_"):
        return named, None
    parent = await models.get(connection, named)
    if parent.provider != provider:
        raise BaseModelUnknown(
            f"{named} lives at {parent.provider}; continue it there.",
            faults=[Fault("base_model_unknown", "another provider", "/base_model")],
        )
    return parent.base_model, parent.id


async def _check_promotion(connection: AsyncConnection, name: str) -> None:
    """Refuse what no evaluation of a job could bring about."""
    alias = await aliases.find(connection, name)
    if alias is not None and alias.gate != promotion_gate(alias.gate):
        raise CandidateInvalid(
            f"The gate of {name} asks a judge, which the evaluation of a job does not have: "
            "compare the models afterwards, and move the alias by hand.",
            faults=[Fault("judge_missing", "the alias's gate asks a judge", "/promote/alias")],
        )
