"""What evaluations may cost at most counts against a spend limit while they are under way."""

import httpx

from tests.access.given import key
from tests.api.expect import refused
from tests.api.given import created, dataset


async def test_what_evaluations_may_cost_is_promised(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    limited = await key(idle_client, spend_limit_usd="5.00")
    body = {"dataset": "echo", "candidates": ["simulated/echo"], "max_cost_usd": "4.00"}

    created(await idle_client.post("/evaluations", json=body, headers=limited))
    second = await idle_client.post("/evaluations", json=body, headers=limited)

    refused(second, 409, "spend_limit_reached")
