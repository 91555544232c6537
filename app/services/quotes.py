"""Quotes: the platforms side by side for one dataset, before anything is spent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from app.domain import offers, quotes
from app.domain.compiling import Compilation
from app.domain.datasets import Dataset
from app.domain.errors import Fault, LuthierError
from app.domain.jobs import Method, day_of
from app.domain.offers import Offer
from app.domain.provider import Provider, Recipe
from app.domain.quotes import Quote
from app.services import recipes
from app.services.compilations import Compilations
from app.services.offers import offered
from app.storage import datasets, models, vendor_lists
from app.storage.database import Database

PACES = 20
"""How many finished trainings tell how long the next one takes."""


class QuoteTarget(msgspec.Struct, frozen=True):
    """One platform to quote for."""

    provider: str
    base_model: str


class SideBySide(msgspec.Struct, frozen=True, kw_only=True):
    """The rows for one dataset and method."""

    dataset: Dataset
    method: Method
    quotes: list[Quote]


class Quotes:
    """What a user does to compare platforms."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        compilations: Compilations,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._compilations = compilations
        self._clock = clock

    async def compare(
        self, reference: str, method: Method, targets: Sequence[QuoteTarget] | None
    ) -> SideBySide:
        """A quote for each target, or for every base model that offers the method."""
        async with self._database.read() as connection:
            dataset = await datasets.get(connection, reference)
        wanted = targets if targets is not None else await self._all_offering(method)
        rows = [await self._quote(dataset, method, target) for target in wanted]
        return SideBySide(dataset=dataset, method=method, quotes=rows)

    async def for_recipe(self, name: str, recipe: Recipe, compilation: Compilation) -> Quote:
        """The quote for a recipe that was compiled."""
        provider, base, method = self._providers[name], recipe.base_model, recipe.method.type
        epochs = provider.epochs(recipe)
        tokens = quotes.trained_tokens(compilation, epochs)
        async with self._database.read() as connection:
            paces = await models.paces(
                connection, provider=name, base_model=base.name, method=method, limit=PACES
            )
        seconds = quotes.duration(paces, tokens)
        return Quote(
            provider=name,
            base_model=base,
            compilation=compilation,
            epochs=epochs,
            trained_tokens=tokens,
            cost=quotes.training_cost(base, method, tokens=tokens, seconds=seconds),
            seconds=seconds,
        )

    async def _all_offering(self, method: Method) -> list[QuoteTarget]:
        found: list[QuoteTarget] = []
        for name, provider in sorted(self._providers.items()):
            async with self._database.read() as connection:
                listed = await vendor_lists.find(connection, name)
            bases = await asyncio.to_thread(offers.offers, provider, listed)
            found += [QuoteTarget(name, base.name) for base in bases if method.type in base.methods]
        return found

    async def _quote(self, dataset: Dataset, method: Method, target: QuoteTarget) -> Quote:
        provider = recipes.named(self._providers, target.provider)
        base = await offered(self._database, provider, target.provider, target.base_model)
        try:
            recipe = recipes.checked(provider, base, method, dataset)
            compilation = await self._compilations.verdict(dataset, provider, recipe)
            quote = await self.for_recipe(target.provider, recipe, compilation)
        except LuthierError as error:
            return Quote(provider=target.provider, base_model=base, reasons=_reasons(error))
        reasons = [*compilation.errors.first, *self._closed(provider, base)]
        return msgspec.structs.replace(quote, reasons=reasons)

    def _closed(self, provider: Provider, base: Offer) -> list[Fault]:
        """Why no job could be created there today."""
        try:
            recipes.check_open(provider, base, today=day_of(self._clock()))
        except LuthierError as error:
            return [Fault(error.code, error.detail)]
        return []


def _reasons(error: LuthierError) -> list[Fault]:
    return list(error.faults) or [Fault(error.code, error.detail)]
