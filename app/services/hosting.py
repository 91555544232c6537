"""Hosting: the wish that a tuned model is deployed, which the reconciler carries out."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import OperationNotSupported, ProviderNotConfigured
from app.domain.hosting import Hosting, HostingState, HostingWish
from app.domain.models import TunedModel
from app.domain.provider import Deploying, Operation, Provider
from app.services import recipes
from app.services.models import Models
from app.services.spending import hold_to_limits
from app.storage import hosting, jobs, models
from app.storage.database import Database
from app.storage.signals import WORK_DUE, Signals
from app.storage.tenancy import tenant


class WantedHosting(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is to be deployed; what is None is the provider's or has no limit."""

    tier: str | None = None
    ttl_hours: float | None = None
    idle_hours: float | None = None


class WishTaken(Exception):  # the transaction is lost; read in a new one what is there
    """Somebody else wished first."""


class Hostings:
    """What a user does to have models deployed."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        resolving: Models,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._models = resolving
        self._signals = signals
        self._clock = clock

    async def deploy(self, reference: str, wanted: WantedHosting) -> Hosting:
        """Wish that the model is deployed from now on; the same wish again begins its time anew."""
        return await self._wish(reference, HostingWish.DEPLOYED, wanted)

    async def undeploy(self, reference: str) -> Hosting:
        """Wish that the model is deployed no more; of one that is not, it makes sure."""
        return await self._wish(reference, HostingWish.REMOVED, WantedHosting())

    async def _wish(self, reference: str, desired: HostingWish, wanted: WantedHosting) -> Hosting:
        model = await self._models.get(reference)
        _check_deploys(recipes.named(self._providers, model.provider))
        try:
            async with self._database.write() as connection:
                wished = await self._write(connection, model, desired, wanted)
        except WishTaken:
            return await self._wish(reference, desired, wanted)
        self._signals.send(WORK_DUE)
        return wished

    async def _write(
        self,
        connection: AsyncConnection,
        model: TunedModel,
        desired: HostingWish,
        wanted: WantedHosting,
    ) -> Hosting:
        await models.get(connection, model.id)
        if desired is HostingWish.DEPLOYED:
            await hold_to_limits(connection, None)
        before = await hosting.lock(connection, model.id)
        if before is None:
            wished = await self._first(connection, model, desired, wanted)
            try:
                await hosting.add(connection, wished)
            except IntegrityError as error:
                raise WishTaken from error
            return wished
        changes: dict[str, Any] = {}
        if desired is HostingWish.DEPLOYED:
            # Whoever wished for it last answers for what it costs.
            changes = msgspec.structs.asdict(wanted) | {"key_id": tenant().key_id}
        wished = msgspec.structs.replace(
            before,
            desired=desired,
            wished_at=self._clock(),
            state=_state(desired, before.state),
            detail=None,
            used_at=None,
            failures=0,
            **changes,
        )
        await hosting.wish(connection, wished)
        return wished

    async def _first(
        self,
        connection: AsyncConnection,
        model: TunedModel,
        desired: HostingWish,
        wanted: WantedHosting,
    ) -> Hosting:
        job = model.job_id and await jobs.find(connection, model.job_id)
        return Hosting(
            id=model.id,
            provider=model.provider,
            base_model=model.base_model,
            artifact=model.artifact,
            job_id=model.job_id,
            tags=job.tags if job else {},
            desired=desired,
            wished_at=self._clock(),
            state=_state(desired, HostingState.REMOVED),
            **msgspec.structs.asdict(wanted),
        )


def deploys(provider: Provider) -> bool:
    """Whether what is tuned there answers only while it is deployed."""
    return Operation.DEPLOY in provider.spec.operations and isinstance(provider, Deploying)


def _check_deploys(provider: Provider) -> None:
    if not deploys(provider):
        raise OperationNotSupported(
            f"{provider.spec.title} deploys no models: they answer without, or not at all."
        )
    if provider.missing:
        raise ProviderNotConfigured(
            f"Set {', '.join(provider.missing)} before a model is deployed."
        )


def _state(desired: HostingWish, before: HostingState) -> HostingState:
    if desired is HostingWish.REMOVED:
        return HostingState.REMOVING
    is_over = before in (HostingState.REMOVED, HostingState.REMOVING, HostingState.FAILED)
    return HostingState.QUEUED if is_over else before
