"""The compare chore under several hands, and under one that breaks."""

import asyncio

import httpx
from sqlalchemy import update

from app.bootstrap import House
from app.domain.comparisons import Comparison
from app.reconciler import compare, observe, submit
from app.reconciler.work import Workshop
from app.storage import comparisons, leases
from app.storage.comparisons import ComparisonRow
from app.storage.tenancy import as_service
from tests.api.given import Json, created, dataset, rows
from tests.reconciling import shop_of

TARGET = {"provider": "simulated", "base_model": "sim-base"}


async def begun(client: httpx.AsyncClient) -> Json:
    """A comparison of one target, whose job waits for a worker."""
    await dataset(client)
    await dataset(client, "held-out", rows(24)[12:])
    wanted = {"dataset": "echo", "evaluate": {"dataset": "held-out"}, "targets": [TARGET]}
    return created(await client.post("/comparisons", json=wanted))


async def trained(client: httpx.AsyncClient, house: House) -> Json:
    """A comparison whose job has ended."""
    comparison = await begun(client)
    await submit.tick(shop_of(house), "simulated")
    while comparison["jobs"][0]["status"] != "succeeded":
        await observe.tick(shop_of(house), "simulated")
        comparison = await read(client, comparison)
    return comparison


async def read(client: httpx.AsyncClient, comparison: Json) -> Json:
    """The comparison as it stands."""
    return (await client.get(f"/comparisons/{comparison['id']}")).json()


async def claimed(shop: Workshop) -> Comparison:
    """The one comparison, under lease."""
    with as_service():
        async with shop.database.write() as connection:
            [comparison] = await comparisons.claim(connection, owner=shop.owner, limit=1)
    return comparison


async def make_due(house: House) -> None:
    """Let every lease and every wait be over."""
    async with house.database.write() as connection:
        await connection.execute(update(ComparisonRow).values(next_at=0))


async def tick(shop: Workshop) -> int:
    """One tick, as the loop does it."""
    with as_service():
        return await compare.tick(shop)


async def evaluations(client: httpx.AsyncClient) -> list[Json]:
    """All there are."""
    return (await client.get("/evaluations")).json()["data"]


async def test_many_hands_make_one_evaluation(idle_client: httpx.AsyncClient, house: House) -> None:
    comparison = await trained(idle_client, house)

    worked = await asyncio.gather(*(tick(shop_of(house)) for _ in range(5)))

    assert sum(worked) == 1
    assert len(await evaluations(idle_client)) == 1
    assert (await read(idle_client, comparison))["status"] == "evaluating"


async def test_a_hand_that_stood_still_writes_nothing(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    comparison = await trained(idle_client, house)
    shop = shop_of(house)
    stale = await claimed(shop)
    await make_due(house)
    await tick(shop)

    async with house.database.write() as connection:
        assert not await comparisons.apply(connection, stale, look_again_in=None, status="failed")
    assert (await read(idle_client, comparison))["status"] == "evaluating"


async def test_a_cancelled_comparison_is_left_alone(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    comparison = await trained(idle_client, house)
    stale = await claimed(shop_of(house))
    await idle_client.post(f"/comparisons/{comparison['id']}/cancel")

    async with house.database.write() as connection:
        assert not await leases.renew(connection, ComparisonRow, id=stale.id, epoch=stale.epoch)
    assert await tick(shop_of(house)) == 0
    assert await evaluations(idle_client) == []


async def test_what_breaks_every_hand_fails_in_the_end(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    comparison = await begun(idle_client)
    for _ in range(compare.MOST_ACCIDENTS):
        await claimed(shop_of(house))
        await make_due(house)

    await tick(shop_of(house))

    failed = await read(idle_client, comparison)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "work_broke")
    assert failed["standings"][0]["reason"] == "The job was queued."
