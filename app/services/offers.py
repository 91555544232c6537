"""Offers: what can be tuned, by the catalogues and by the vendors' own lists of models."""

import asyncio
import secrets
from collections.abc import Mapping

import msgspec

from app.domain import offers
from app.domain.catalogue import BaseModel
from app.domain.errors import (
    BaseModelUnknown,
    OperationNotSupported,
    ProviderNotConfigured,
    ProviderUnavailable,
)
from app.domain.offers import Offer, VendorList
from app.domain.provider import Listing, Provider
from app.services import recipes
from app.services.vendors import asked_now
from app.storage import models, vendor_lists
from app.storage.database import Database
from app.storage.tenancy import as_service, is_mine
from app.storage.vendor_lists import ListTaken

REFRESH_SECONDS = 25.0
"""Beyond it the provider is taken for unreachable; less than a lease."""


async def offered(database: Database, provider: Provider, name: str, base_model: str) -> Offer:
    """A base model of the connection `name`; raises `BaseModelUnknown`. Nobody is asked.

    A vendor's account is shared by all projects; what another one tuned there is not there.
    """
    async with database.read() as connection:
        listed = await vendor_lists.find(connection, name)
    found = await asyncio.to_thread(offers.offer, provider, base_model, listed)
    await _check_here(database, name, base_model, found)
    return found


async def answering(
    database: Database, provider: Provider, name: str, base_model: str
) -> BaseModel:
    """As `offered`, for whoever only asks: the vendor's list is for what the catalogue lacks."""
    try:
        found = await _catalogued(provider, base_model)
    except BaseModelUnknown:
        return await offered(database, provider, name, base_model)
    await _check_here(database, name, base_model, found)
    return found


async def _catalogued(provider: Provider, base_model: str) -> BaseModel:
    if provider.spec.models_in_memory:
        return provider.base_model(base_model)
    return await asyncio.to_thread(provider.base_model, base_model)


async def _check_here(database: Database, name: str, base_model: str, found: BaseModel) -> None:
    if found.tuned_from is not None and await _is_elsewhere(database, name, base_model):
        raise BaseModelUnknown(f"No base model {base_model!r} here.")


async def _is_elsewhere(database: Database, name: str, base_model: str) -> bool:
    with as_service():
        async with database.read() as connection:
            owner = await models.owner_of_artifact(connection, name, base_model)
    return owner is not None and not is_mine(owner)


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """All base models of a provider, and what is known of the vendor's list."""

    offers: list[Offer]
    listed: VendorList


class Offers:
    """What a user does to see what can be tuned."""

    def __init__(self, database: Database, providers: Mapping[str, Provider]) -> None:
        self._database = database
        self._providers = providers

    async def of(self, name: str) -> Shelf:
        """All base models of one provider; nobody is asked."""
        provider = recipes.named(self._providers, name)
        async with self._database.read() as connection:
            listed = await vendor_lists.find(connection, name)
        return Shelf(offers=await asyncio.to_thread(offers.offers, provider, listed), listed=listed)

    async def get(self, name: str, base_model: str) -> Offer:
        """One base model of a provider; raises `BaseModelUnknown`."""
        provider = recipes.named(self._providers, name)
        return await offered(self._database, provider, name, base_model)

    async def refresh(self, name: str) -> Shelf:
        """Ask the vendor for its list now, and keep it.

        Raises `OperationNotSupported` for a provider whose vendor has none, and
        `ProviderNotConfigured`, `ProviderUnavailable`; the list that was kept stays then.
        """
        source = self._listing(name)
        epoch = await self._take(name)
        try:
            async with asked_now(name, "list_models", seconds=REFRESH_SECONDS):
                found = await source.list_models()
        except (ProviderNotConfigured, ProviderUnavailable) as error:
            async with self._database.write() as connection:
                await vendor_lists.note_problem(connection, name, error.detail, epoch=epoch)
            raise
        async with self._database.write() as connection:
            await vendor_lists.keep(connection, name, found, epoch=epoch)
        return await self.of(name)

    def _listing(self, name: str) -> Listing:
        provider = recipes.named(self._providers, name)
        source = offers.listing(provider)
        if source is None:
            raise OperationNotSupported(
                f"{provider.spec.title} has no list of models that could be asked for: what can "
                "be tuned there stands in the catalogue, and in the file that LUTHIER_CATALOGUE "
                "names."
            )
        recipes.check_configured(provider)
        return source

    async def _take(self, name: str) -> int:
        try:
            async with self._database.write() as connection:
                return await vendor_lists.take(connection, name, owner=secrets.token_hex(4))
        except ListTaken:
            return await self._take(name)
