"""Webhook endpoints: who is told of what, and what became of each message."""

import base64
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import WebhookDisabled
from app.domain.idempotency import Idempotency
from app.domain.webhook_deliveries import TEST, Delivery, DeliveryState, Told
from app.domain.webhook_endpoints import (
    SealedSecret,
    WebhookEndpoint,
    WebhookFormat,
    check_events,
    enabled_again,
    rotated,
)
from app.network.courier import Courier
from app.services.created import Created
from app.services.once import once
from app.storage import idempotency, webhook_deliveries, webhook_endpoints
from app.storage.database import Database
from app.storage.ids import new_id
from app.storage.sealing import Seal
from app.storage.signals import WORK_DUE, Signals

SECRET_BYTES = 32


class WantedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody wants to be told of what."""

    url: str
    events: list[str]
    description: str | None
    format: WebhookFormat


class Revealed(msgspec.Struct, frozen=True):
    """An endpoint with its newest secret, which is shown at its making only."""

    endpoint: WebhookEndpoint
    secret: str

    def __repr__(self) -> str:
        return f"Revealed({self.endpoint.id})"


class WebhookEndpoints:
    """What a user does to be told."""

    def __init__(
        self,
        database: Database,
        courier: Courier,
        seal: Seal,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._courier = courier
        self._seal = seal
        self._signals = signals
        self._clock = clock

    async def create(
        self, wanted: WantedWebhook, key: Idempotency | None = None
    ) -> Created[Revealed]:
        """Store an endpoint with a secret of its own; raises `UrlRefused`, `EventTypeUnknown`."""

        async def make() -> Created[WebhookEndpoint]:
            check_events(wanted.events, wanted.format)
            await self._courier.check(wanted.url)
            endpoint = WebhookEndpoint(
                id=new_id("whk"),
                **msgspec.structs.asdict(wanted),
                secrets=[SealedSecret(self._seal.seal(_new_secret()))],
                created_at=self._clock(),
            )
            async with self._database.write() as connection:
                # What is kept for the key is sealed like the row itself.
                await idempotency.keep(connection, key, endpoint)
                await webhook_endpoints.add(connection, endpoint)
            return Created(endpoint)

        return await self._revealed_once(key, make)

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """The endpoint of that id; raises `WebhookNotFound`."""
        async with self._database.read() as connection:
            return await webhook_endpoints.get(connection, endpoint_id)

    async def list_page(self, *, before: str | None, limit: int) -> list[WebhookEndpoint]:
        """Endpoints, newest first."""
        async with self._database.read() as connection:
            return await webhook_endpoints.list_page(connection, before=before, limit=limit)

    async def change(self, endpoint_id: str, changes: dict[str, Any]) -> WebhookEndpoint:
        """Write other fields; one that is enabled again goes on with what waits for it."""
        if "url" in changes:
            await self._courier.check(changes["url"])
        async with self._database.write() as connection:
            before = await webhook_endpoints.get(connection, endpoint_id, lock=True)
            after = msgspec.structs.replace(before, **changes)
            check_events(after.events, after.format)
            if after.enabled and not before.enabled:
                after = enabled_again(after)
            await webhook_endpoints.write(connection, after)
        self._signals.send(WORK_DUE)
        return after

    async def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint, and what was sent or is to be sent to it."""
        async with self._database.write() as connection:
            await webhook_endpoints.get(connection, endpoint_id)
            # In the order in which a delivery's end takes its locks.
            await webhook_deliveries.remove_all(connection, endpoint_id)
            await webhook_endpoints.remove(connection, endpoint_id)

    async def rotate_secret(
        self, endpoint_id: str, key: Idempotency | None = None
    ) -> Created[Revealed]:
        """Give the endpoint a new secret; those before it go on signing for a day."""

        async def make() -> Created[WebhookEndpoint]:
            async with self._database.write() as connection:
                before = await webhook_endpoints.get(connection, endpoint_id, lock=True)
                after = rotated(before, self._seal.seal(_new_secret()), self._clock())
                await idempotency.keep(connection, key, after)
                await webhook_endpoints.write(connection, after)
            return Created(after)

        return await self._revealed_once(key, make)

    async def test(self, endpoint_id: str) -> tuple[WebhookEndpoint, Delivery]:
        """Send a message that speaks of nothing; raises `WebhookDisabled`."""
        async with self._database.write() as connection:
            endpoint = await self._enabled(connection, endpoint_id)
            sent = await webhook_deliveries.tell_one(connection, endpoint, Told(TEST, endpoint_id))
        self._signals.send(WORK_DUE)
        return endpoint, sent

    async def deliveries(
        self, endpoint_id: str, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> tuple[WebhookEndpoint, list[Delivery]]:
        """The endpoint and its deliveries, newest first."""
        async with self._database.read() as connection:
            endpoint = await webhook_endpoints.get(connection, endpoint_id)
            found = await webhook_deliveries.list_page(
                connection, endpoint_id, state=state, before=before, limit=limit
            )
        return endpoint, found

    async def send_again(
        self, endpoint_id: str, delivery_id: str
    ) -> tuple[WebhookEndpoint, Delivery]:
        """Let a delivery begin anew, whatever became of it; raises `WebhookDisabled`."""
        async with self._database.write() as connection:
            endpoint = await self._enabled(connection, endpoint_id)
            delivery = await webhook_deliveries.get(connection, endpoint_id, delivery_id)
            await webhook_deliveries.send_again(connection, delivery)
            again = await webhook_deliveries.get(connection, endpoint_id, delivery_id)
        self._signals.send(WORK_DUE)
        return endpoint, again

    async def _enabled(self, connection: AsyncConnection, endpoint_id: str) -> WebhookEndpoint:
        endpoint = await webhook_endpoints.get(connection, endpoint_id)
        if not endpoint.enabled:
            raise WebhookDisabled("This webhook is disabled; enable it with PATCH first.")
        return endpoint

    async def _revealed_once(
        self, key: Idempotency | None, make: Callable[[], Awaitable[Created[WebhookEndpoint]]]
    ) -> Created[Revealed]:
        created = await once(self._database, key, WebhookEndpoint, make)
        return Created(self._reveal(created.thing), is_replay=created.is_replay)

    def _reveal(self, endpoint: WebhookEndpoint) -> Revealed:
        return Revealed(endpoint, self._seal.open(endpoint.secrets[-1].sealed))


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
