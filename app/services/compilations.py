"""Compilations: what a provider would say of a dataset, before anything is uploaded or paid."""

import asyncio
from collections.abc import Mapping

import msgspec
from sqlalchemy.exc import IntegrityError

from app.domain.compiling import Compilation, Compiler, Tally, Told, of_validation
from app.domain.datasets import Dataset
from app.domain.errors import DatasetNotFound, DatasetUnfit
from app.domain.jobs import Method
from app.domain.provider import Provider, Recipe
from app.services import recipes
from app.services.offers import offered
from app.storage import compilations, datasets
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.sources import read_batches


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a dataset is compiled."""

    provider: str
    base_model: str
    method: Method


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with what it is about."""

    dataset: Dataset
    target: Target
    verdict: Compilation


class Compilations:
    """What a user does to know beforehand whether a provider would take a dataset."""

    def __init__(self, database: Database, blobs: Blobs, providers: Mapping[str, Provider]) -> None:
        self._database = database
        self._blobs = blobs
        self._providers = providers

    async def compile(self, reference: str, target: Target) -> Compiled:
        """The verdict on a dataset for a provider, base model and method."""
        provider = recipes.named(self._providers, target.provider)
        async with self._database.read() as connection:
            dataset = await datasets.get(connection, reference)
        base = await offered(self._database, provider, target.provider, target.base_model)
        recipe = recipes.checked(provider, base, target.method, dataset)
        verdict = await self.verdict(dataset, provider, recipe)
        return Compiled(dataset=dataset, target=target, verdict=verdict)

    async def require(self, dataset: Dataset, provider: Provider, recipe: Recipe) -> Compilation:
        """The verdict, where it is a yes; raises `DatasetUnfit` with the rows that are refused."""
        verdict = await self.verdict(dataset, provider, recipe)
        if not verdict.ok:
            raise _unfit(dataset, provider, verdict.errors)
        return verdict

    async def require_validation(
        self, dataset: Dataset, provider: Provider, recipe: Recipe
    ) -> Compilation:
        """The verdict, where it may be validated with; raises `DatasetUnfit` where not.

        Its lines are as in training; how many there may be is another matter.
        """
        verdict = await self.verdict(dataset, provider, recipe)
        errors = of_validation(verdict, recipe.base_model.limits)
        if errors.count:
            raise _unfit(dataset, provider, errors)
        return verdict

    async def verdict(self, dataset: Dataset, provider: Provider, recipe: Recipe) -> Compilation:
        """The verdict that was kept for this content, or a new one."""
        compiler = provider.compiler(recipe)
        async with self._database.read() as connection:
            kept = await compilations.find(
                connection, dataset_sha256=dataset.sha256, fingerprint=compiler.fingerprint
            )
        return kept or await self._compile(dataset, compiler)

    async def _compile(self, dataset: Dataset, compiler: Compiler) -> Compilation:
        await asyncio.to_thread(compiler.__enter__)
        try:
            verdict = await self._feed(dataset, Tally(compiler, dataset.kind))
        except FileNotFoundError as error:
            raise DatasetNotFound(f"Dataset {dataset.id!r} was just removed.") from error
        finally:
            await asyncio.to_thread(compiler.__exit__)
        try:
            async with self._database.write() as connection:
                await compilations.keep(connection, dataset.sha256, verdict)
        except IntegrityError:
            # Somebody else compiled the same; theirs says the same.
            return verdict
        return verdict

    async def _feed(self, dataset: Dataset, tally: Tally) -> Compilation:
        async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
            # Rendering is work for a processor: the event loop goes on answering meanwhile.
            await asyncio.to_thread(tally.feed, batch)
        return tally.finish()


def _unfit(dataset: Dataset, provider: Provider, errors: Told) -> DatasetUnfit:
    return DatasetUnfit(
        f"{provider.spec.title} would refuse {dataset.name}@{dataset.version}: "
        f"{errors.first[0].message} Mend the lines that `errors` names, or see "
        f"POST /datasets/{dataset.id}/compile.",
        faults=errors.first,
        fault_count=errors.count,
    )
