"""The deliver chore: send what is in the outbox, sign it, and try again what was not taken.

A message may come twice, always under the same id: whoever dies between the answer and its writing
leaves the delivery to be claimed again.
"""

import asyncio
from datetime import UTC, datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection
from standardwebhooks.webhooks import Webhook

from app.domain.errors import SecretKeyMissing
from app.domain.jobs import Millis
from app.domain.webhook_deliveries import (
    Delivery,
    DeliveryState,
    Outcome,
    after_try,
    body,
)
from app.domain.webhook_endpoints import WebhookEndpoint, after_failure
from app.network.courier import Courier
from app.reconciler import work
from app.reconciler.work import Workshop
from app.storage import notices, webhook_deliveries, webhook_endpoints
from app.storage.sealing import Seal, SealBroken
from app.storage.tenancy import Tenant, working_for
from app.telemetry import counts

BATCH = 10
"""Messages that are under way at once for one tick; each ends well within its lease."""

LINES = 4
"""Ticks that may be under way at once, so that an endpoint that hangs holds up few others."""

DAY = 24 * 3_600_000

KEPT_MILLIS = 30 * DAY
"""How long a delivery that has ended can be seen and sent again."""

OLD_BATCH = 1000


class Deliveries:
    """The outbox with a way out."""

    def __init__(self, shop: Workshop, courier: Courier, seal: Seal) -> None:
        self._shop = shop
        self._courier = courier
        self._seal = seal

    async def tick(self) -> int:
        """Send due messages; how many."""
        async with self._shop.database.read() as connection:
            if not await webhook_deliveries.is_any_due(connection):
                return 0
        async with self._shop.database.write() as connection:
            claimed = await webhook_deliveries.claim(
                connection, owner=self._shop.owner, limit=BATCH
            )
            ids = {one.endpoint_id for one, _ in claimed}
            endpoints = await webhook_endpoints.find_many(connection, ids)
        await asyncio.gather(
            *(
                self._deliver(one, endpoints[one.endpoint_id], now)
                for one, now in claimed
                if one.endpoint_id in endpoints
            )
        )
        return len(claimed)

    async def tidy(self) -> int:
        """Give up what waits for disabled endpoints, and forget what is old; how many of these."""
        now, forgotten = await self._shop.database.now(), 0
        async with self._shop.database.write() as connection:
            await webhook_deliveries.give_up_unwanted(connection, before=now - DAY)
        while True:
            async with self._shop.database.write() as connection:
                old = await webhook_deliveries.remove_old(
                    connection, before=now - KEPT_MILLIS, limit=OLD_BATCH
                )
            forgotten += old
            if old < OLD_BATCH:
                return forgotten

    async def _deliver(self, delivery: Delivery, endpoint: WebhookEndpoint, now: Millis) -> None:
        try:
            outcome = await self._send(delivery, endpoint, now)
            with working_for(Tenant(endpoint.project_id)):
                await self._write(delivery, outcome, now)
        except Exception:  # noqa: BLE001 - its lease ends, and the others are not to suffer
            work.broke("delivery", delivery.id)

    async def _send(self, delivery: Delivery, endpoint: WebhookEndpoint, now: Millis) -> Outcome:
        content = body(delivery, endpoint.format)
        try:
            secrets = [self._seal.open(sealed) for sealed in endpoint.signing(now)]
        except (SealBroken, SecretKeyMissing) as error:
            work.log.error("webhook_not_signed", webhook=endpoint.id, problem=str(error))
            return Outcome(problem=f"The message could not be signed. {error}")
        headers = signed(delivery.event_id, content, secrets, now)
        return await self._courier.post(endpoint.url, headers, content)

    async def _write(self, delivery: Delivery, outcome: Outcome, now: Millis) -> None:
        change = after_try(delivery, outcome, self._shop.chance)
        async with self._shop.database.write() as connection:
            is_ours = await webhook_deliveries.apply(connection, delivery, change, outcome)
            if is_ours and change.state is DeliveryState.DELIVERED:
                await webhook_endpoints.recover(connection, delivery.endpoint_id)
            elif is_ours:
                await _note_failure(connection, delivery, outcome, now)
            if is_ours and change.state is DeliveryState.DEAD:
                await _tell_of_death(connection, delivery, outcome)
        counts.WEBHOOK_TRIES.labels(change.state).inc()
        if not is_ours:
            work.lost_lease("delivery", delivery.id, epoch=delivery.epoch)


def signed(message_id: str, content: bytes, secrets: list[str], now: Millis) -> dict[str, str]:
    """The headers of a message by Standard Webhooks, with a signature of every secret."""
    moment = datetime.fromtimestamp(now // 1000, UTC)
    signatures = [Webhook(one).sign(message_id, moment, content.decode()) for one in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now // 1000),
        "webhook-signature": " ".join(signatures),
    }


async def _note_failure(
    connection: AsyncConnection, delivery: Delivery, outcome: Outcome, now: Millis
) -> None:
    """Leave the endpoint alone for a while; one that is gone, or fails for days, for good."""
    before = await webhook_endpoints.get(connection, delivery.endpoint_id, lock=True)
    after = after_failure(before, outcome.status, now)
    await webhook_endpoints.write(connection, after)
    if before.enabled and not after.enabled:
        told = {"reason": after.disabled_reason, "failing_since": after.failing_since}
        await notices.add(connection, "webhook.disabled", after.id, told)


async def _tell_of_death(connection: AsyncConnection, delivery: Delivery, outcome: Outcome) -> None:
    told = {"delivery": delivery.id, "type": delivery.type, "subject": delivery.subject}
    told |= {"outcome": msgspec.to_builtins(outcome)}
    await notices.add(connection, "webhook.delivery_failed", delivery.endpoint_id, told)
