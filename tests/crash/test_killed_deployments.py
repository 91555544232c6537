"""The service dies by kill -9 over deployments and promotions, and each happens once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.api.given import pause
from tests.crash.following import add_dataset, finished
from tests.crash.processes import DEADLINE_SECONDS, Luthier
from tests.simulated.simulated_provider import SimulatedProvider

ORDER: dict[str, Any] = {"provider": "simulated", "base_model": "sim-base", "dataset": "echo"}


async def queue(client: httpx.AsyncClient, **more: Any) -> str:
    """The id of a new job."""
    answer = await client.post("/jobs", json=ORDER | more)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def until_it_says(read: Callable[[], Awaitable[str]], wanted: str) -> None:
    """Return once what is read is as wanted."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await read() != wanted:
            await pause()


async def test_a_deployment_is_made_once_wherever_the_service_was_killed(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    await luthier.start()
    model = (await finished(idle_client, await queue(idle_client)))["tuned_model"]

    async def state() -> str:
        return (await idle_client.get(f"/models/{model}")).json()["deployment"]["state"]

    for number, point in enumerate(("deployment", "deploy", "deploy-done"), start=1):
        vendor.order(point, "die")
        await idle_client.post(f"/models/{model}/deploy", json={})
        await luthier.died()
        await luthier.start()
        await until_it_says(state, "ready")
        assert len(vendor.deployed()) == number, point
        vendor.order("undeploy-done" if point == "deploy" else "undeploy", "die")
        await idle_client.post(f"/models/{model}/undeploy")
        await luthier.died()
        await luthier.start()
        await until_it_says(state, "removed")
    lines = (await idle_client.get("/ledger")).json()["data"]
    assert [line["kind"] for line in lines].count("hosting") == 3


async def test_a_model_is_promoted_once_though_its_evaluation_was_killed(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    gate = {"metric": "exact_match", "min_delta": 0.5}
    await idle_client.put("/aliases/prod", json={"model": "simulated/sim-base", "gate": gate})
    await luthier.start()
    vendor.order("chat", "die")
    wish = {"evaluate": {"dataset": "echo"}, "promote": {"alias": "prod"}}
    job = await queue(idle_client, **wish)
    await luthier.died()
    await luthier.start()
    model = (await finished(idle_client, job))["tuned_model"]

    async def target() -> str:
        return (await idle_client.get("/aliases/prod")).json()["model"]

    await until_it_says(target, model)
    history = (await idle_client.get("/aliases/prod")).json()["history"]
    assert [one["kind"] for one in history] == ["moved", "created"]
