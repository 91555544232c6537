"""The lifecycle of tuned models: which will be served no more, and when."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from app.domain.errors import BaseModelUnknown
from app.domain.jobs import day_of
from app.domain.lifecycle import Ends, LivingModel, ends_of, living
from app.domain.models import TunedModel
from app.domain.offers import Offer, VendorList, offer, offers
from app.domain.provider import Provider
from app.services.models import Models
from app.storage import hosting, models, vendor_lists
from app.storage.database import Database
from app.storage.models import Bases


class Lifecycle:
    """What a user sees of tuned models and of their days."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        resolving: Models,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._models = resolving
        self._clock = clock

    async def get(self, reference: str) -> LivingModel:
        """The tuned model of that id, or that an alias points to; raises `ModelNotFound`."""
        [shown] = await self._shown([await self._models.get(reference)])
        return shown

    async def list_page(
        self, *, provider: str | None, retiring_within: int | None, before: str | None, limit: int
    ) -> list[LivingModel]:
        """Tuned models, newest first; only those that are served for so many days at the most."""
        bases = None if retiring_within is None else await self._retiring(retiring_within)
        async with self._database.read() as connection:
            found = await models.list_page(
                connection, provider=provider, bases=bases, before=before, limit=limit
            )
        return await self._shown(found)

    async def _shown(self, found: Sequence[TunedModel]) -> list[LivingModel]:
        today = day_of(self._clock())
        async with self._database.read() as connection:
            lists = await vendor_lists.find_all(connection)
            hosted = await hosting.find_many(connection, [model.id for model in found])
        ends = await asyncio.to_thread(
            lambda: {where: self._ends(lists, *where) for where in _places(found)}
        )
        return [
            living(model, ends[model.provider, model.base_model], hosted.get(model.id), today)
            for model in found
        ]

    async def _retiring(self, days: int) -> Bases:
        """The base models that are served for so many days at the most."""
        last = day_of(self._clock()) + timedelta(days=days)
        async with self._database.read() as connection:
            lists = await vendor_lists.find_all(connection)
        return await asyncio.to_thread(
            lambda: {
                name: _ending(offers(provider, lists.get(name, VendorList())), last)
                for name, provider in self._providers.items()
            }
        )

    def _ends(self, lists: Mapping[str, VendorList], name: str, base_model: str) -> Ends:
        provider = self._providers.get(name)
        if provider is None:
            return Ends()
        try:
            return ends_of(offer(provider, base_model, lists.get(name, VendorList())))
        except BaseModelUnknown:
            return Ends()


def _places(found: Iterable[TunedModel]) -> set[tuple[str, str]]:
    return {(model.provider, model.base_model) for model in found}


def _ending(bases: Iterable[Offer], last: date) -> list[str]:
    return [
        base.name
        for base in bases
        if base.serving_ends_at is not None and base.serving_ends_at <= last
    ]
