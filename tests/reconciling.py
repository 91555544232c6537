"""The chores of a service at rest, ticked by a test itself."""

import httpx

from app.bootstrap import House
from app.reconciler import observe, submit
from app.reconciler.work import Workshop
from tests.api.given import Json, dataset, job


def shop_of(house: House) -> Workshop:
    """What the chores of one replica work with."""
    return Workshop(house.database, house.blobs, house.providers, house.signals, owner="test")


async def tuned_at_rest(client: httpx.AsyncClient, house: House, **changes: Json) -> str:
    """The id of a model that was tuned tick by tick."""
    await dataset(client)
    made = await job(client, **changes)
    await submit.tick(shop_of(house), "simulated")
    while made["tuned_model"] is None:
        await observe.tick(shop_of(house), "simulated")
        made = (await client.get(f"/jobs/{made['id']}")).json()
    return made["tuned_model"]
