"""Repeating: the job that a model's card tells of, once more."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.datasets import Dataset
from app.domain.errors import CardUnfit, Fault, ProviderNotFound
from app.domain.idempotency import Idempotency
from app.domain.jobs import Job, Method
from app.domain.provider import Provider, Recipe
from app.services.created import Created
from app.services.jobs import Jobs
from app.services.offers import offered
from app.services.once import once
from app.services.preparing import WantedEvaluation, WantedJob
from app.storage import datasets
from app.storage.database import Database


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says of how to train; datasets by the SHA-256 of their examples."""

    provider: str
    provider_kind: str | None
    base_model: str
    parent_model: str | None
    training_sha256: str | None
    validation_sha256: str | None
    validation_split: float | None
    method: str
    requested: dict[str, Any]
    effective: dict[str, Any]
    seed: int | None


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """A card, and what is to be another way this time."""

    recorded: Recorded
    hyperparameters: dict[str, Any]
    seed: int | None
    name: str | None
    tags: dict[str, str]
    budget_usd: Decimal | None
    evaluate: WantedEvaluation | None
    promote: str | None


class Repeating:
    """What a user does to train by a card."""

    def __init__(self, database: Database, providers: Mapping[str, Provider], jobs: Jobs) -> None:
        self._database = database
        self._providers = providers
        self._jobs = jobs

    async def create(self, repeat: Repeat, key: Idempotency | None = None) -> Created[Job]:
        """Queue the job; raises `CardUnfit` where its examples are not here."""

        async def make() -> Created[Job]:
            return await self._jobs.create(await self._wanted(repeat), key)

        return await once(self._database, key, Job, make)

    async def _wanted(self, repeat: Repeat) -> WantedJob:
        recorded = repeat.recorded
        name = self._provider(recorded)
        dataset = await self._dataset(recorded.training_sha256, side="training")
        validation = None
        if not recorded.validation_split and recorded.validation_sha256 is not None:
            validation = await self._dataset(recorded.validation_sha256, side="validation")
        return WantedJob(
            provider=name,
            base_model=recorded.parent_model or recorded.base_model,
            dataset=dataset.id,
            validation_dataset=validation and validation.id,
            validation_split=recorded.validation_split,
            method=await self._method(name, dataset, recorded, repeat.hyperparameters),
            name=repeat.name,
            seed=recorded.seed if repeat.seed is None else repeat.seed,
            tags=repeat.tags,
            budget_usd=repeat.budget_usd,
            evaluate=repeat.evaluate,
            promote=repeat.promote,
        )

    def _provider(self, recorded: Recorded) -> str:
        """The connection of that name, or the only one of that kind."""
        alike = [
            name for name, one in self._providers.items() if one.spec.kind == recorded.provider_kind
        ]
        name = recorded.provider
        if name not in self._providers and len(alike) == 1:
            [name] = alike
        if name not in self._providers:
            raise ProviderNotFound(f"There is no provider {name!r} here, as the card names it.")
        return name

    async def _dataset(self, sha256: str | None, *, side: str) -> Dataset:
        pointer = f"/card/{side}/sent/dataset_sha256"
        if sha256 is None:
            message = f"The card does not say which examples were used for {side}."
            raise CardUnfit(message, faults=[Fault("hash_missing", message, pointer)])
        async with self._database.read() as connection:
            found = await datasets.find_by_content(connection, sha256)
        if found is None:
            message = f"No dataset here has the examples with SHA-256 {sha256}: upload them first."
            raise CardUnfit(message, faults=[Fault("dataset_missing", message, pointer)])
        return found

    async def _method(
        self, name: str, dataset: Dataset, recorded: Recorded, changes: Mapping[str, Any]
    ) -> Method:
        """The values as used, as far as the provider takes them, in place of those asked for."""
        provider = self._providers[name]
        settled = recorded.requested | recorded.effective
        base = await offered(self._database, provider, name, recorded.base_model)
        recipe = Recipe(
            base_model=base, method=Method(recorded.method, settled), dataset=dataset.summary
        )
        is_known = recorded.method in provider.spec.methods  # else it is refused where all are
        refused = {fault.pointer for fault in provider.check(recipe)} if is_known else set[str]()
        kept = {
            name: value
            for name, value in settled.items()
            if name in recorded.requested or f"/method/hyperparameters/{name}" not in refused
        }
        return Method(recorded.method, kept | dict(changes))
