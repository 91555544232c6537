"""What tests of webhooks begin with: an endpoint, the chore, and time that has passed."""

from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook

from app import bootstrap
from app.bootstrap import House
from app.domain.webhook_deliveries import Told
from app.reconciler.deliver import Deliveries
from app.settings import Settings
from app.storage import webhook_deliveries
from app.storage.webhook_deliveries import WebhookDeliveryRow
from app.storage.webhook_endpoints import WebhookEndpointRow
from tests.api.given import Json, created
from tests.network.hosts import LOOPBACK
from tests.reconciling import shop_of
from tests.simulated.simulated_provider import SimulatedProvider
from tests.webhooks.receiver import Message


def open_house(database_url: str, folder: Path, vendor: SimulatedProvider) -> House:
    """The whole service, whose operator opened loopback."""
    settings = Settings(
        data_dir=folder,
        database_url=database_url,
        allow_private_addresses=list(LOOPBACK),
        secret_key=SecretStr("a key that only these tests know of"),
    )
    return bootstrap.build(settings, providers={"simulated": vendor})


async def webhook(client: httpx.AsyncClient, url: str, *events: str, **changes: Any) -> Json:
    """A new endpoint, with its secret."""
    body = {"url": url, "events": list(events) or ["job.*"]} | changes
    return created(await client.post("/webhooks", json=body))


async def tell(house: House, type: str = "job.succeeded", subject: str = "job_1") -> None:
    """Let something have happened."""
    async with house.database.write() as connection:
        told = Told(type, subject, "succeeded")
        await webhook_deliveries.tell(connection, [told], project_id="default")


def deliveries_of(house: House) -> Deliveries:
    """The chore of one replica."""
    return Deliveries(shop_of(house), house.courier, house.seal)


async def tick(house: House) -> int:
    """Send what is due; how many."""
    return await deliveries_of(house).tick()


async def wait_over(house: House) -> None:
    """Let every wait, rest and lease be over."""
    async with house.database.write() as connection:
        due = update(WebhookDeliveryRow).where(WebhookDeliveryRow.next_at.is_not(None))
        await connection.execute(due.values(next_at=0))
        await connection.execute(update(WebhookEndpointRow).values(rest_until=None))


async def days_pass(house: House, days: int) -> None:
    """Let everything have been told so many days earlier."""
    earlier = WebhookDeliveryRow.at - days * 24 * 3_600_000
    async with house.database.write() as connection:
        await connection.execute(update(WebhookDeliveryRow).values(at=earlier))


async def seen(client: httpx.AsyncClient, hook: Json, **asked: Any) -> list[Json]:
    """The deliveries to an endpoint, newest first."""
    answer = await client.get(f"/webhooks/{hook['id']}/deliveries", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def verified(message: Message, secret: str) -> Any:
    """What a receiver reads, who verifies as Standard Webhooks says."""
    return Webhook(secret).verify(message.body, message.headers)
