"""What carries our keys at a vendor and should not: cancelled or told, never forgotten."""

import asyncio
from decimal import Decimal

import httpx

from app.bootstrap import House
from app.reconciler import observe, submit, sweep, work
from app.reconciler.work import Workshop
from app.storage import orphans
from tests.crash.following import add_dataset, queue_job
from tests.simulated.simulated_provider import SimulatedProvider


def shop_of(house: House) -> Workshop:
    """What the chores of one replica work with."""
    return Workshop(house.database, house.blobs, house.providers, house.signals, owner="test")


async def submitted_job(client: httpx.AsyncClient, house: House) -> str:
    """A job that is at the vendor."""
    await add_dataset(client)
    job = await queue_job(client)
    await submit.tick(shop_of(house), "simulated")
    return job


async def test_a_second_creation_that_landed_late_is_cancelled(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    job = await submitted_job(idle_client, house)
    [first] = vendor.created()
    vendor.add_created(first["key"], "sim-late")

    assert await sweep.tick(shop_of(house), "simulated") == 1

    statuses = {one["id"]: one["status"] for one in vendor.created()}
    assert statuses == {first["id"]: "running", "sim-late": "cancelled"}
    events = (await idle_client.get(f"/jobs/{job}/events")).json()["data"]
    told = [event for event in events if event["type"] == "job.surplus_cancelled"]
    assert [event["data"] for event in told] == [{"remote": "sim-late"}]
    assert await sweep.tick(shop_of(house), "simulated") == 0


async def test_what_a_second_creation_cost_is_in_the_ledger_once(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    job = await submitted_job(idle_client, house)
    [first] = vendor.created()
    vendor.add_created(first["key"], "sim-early", status="succeeded")
    vendor.order("observe", "lose")

    await sweep.tick(shop_of(house), "simulated")
    await asyncio.gather(*(sweep.tick(shop_of(house), "simulated") for _ in range(4)))

    [surplus, training] = (await idle_client.get("/ledger")).json()["data"]
    assert (surplus["job"], training["job"]) == (job, job)
    assert (surplus["kind"], surplus["quoted_usd"]) == ("training", None)
    assert Decimal(surplus["actual_usd"]) > 0
    shown = (await idle_client.get("/providers/simulated/orphans")).json()["data"]
    assert [one["remote"] for one in shown] == ["sim-early"]


async def test_what_the_vendor_does_not_tell_of_a_second_creation_is_unknown(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    await submitted_job(idle_client, house)
    [first] = vendor.created()
    vendor.add_created(first["key"], "sim-early", status="cancelled")

    await sweep.tick(shop_of(house), "simulated")

    [surplus, _] = (await idle_client.get("/ledger")).json()["data"]
    assert surplus["actual_usd"] is None


async def test_one_that_cannot_be_looked_at_keeps_no_other_alive(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    await submitted_job(idle_client, house)
    [first] = vendor.created()
    vendor.add_created(first["key"], "sim-early", status="succeeded")
    vendor.add_created(first["key"], "sim-late")
    vendor.order("observe", "lose")

    assert await sweep.tick(shop_of(house), "simulated") == 1

    assert vendor.created()[-1]["status"] == "cancelled"


async def test_a_creation_that_its_job_has_still_to_find_is_left_alone(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    job = await queue_job(idle_client)
    vendor.order("submit-done", "lose")
    await submit.tick(shop_of(house), "simulated")

    assert await sweep.tick(shop_of(house), "simulated") == 0

    assert [one["status"] for one in vendor.created()] == ["running"]
    assert (await idle_client.get(f"/jobs/{job}")).json()["status"] == "submitting"


async def test_what_lands_after_its_job_was_cancelled_is_cancelled_too(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    job = await queue_job(idle_client)
    await idle_client.post(f"/jobs/{job}/cancel")
    await submit.tick(shop_of(house), "simulated")
    assert (await idle_client.get(f"/jobs/{job}")).json()["status"] == "cancelled"
    vendor.add_created(f"{job.replace('_', '-')}-1", "sim-late")

    await sweep.tick(shop_of(house), "simulated")

    assert [one["status"] for one in vendor.created()] == ["cancelled"]


async def test_paid_work_of_no_job_is_kept_as_an_orphan(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    vendor.add_created("job-00000000000000000000000000-1", "sim-lost")

    for _ in range(2):
        assert await sweep.tick(shop_of(house), "simulated") == 0

    async with house.database.read() as connection:
        [orphan] = await orphans.list_all(connection, "simulated")
    assert (orphan.remote_id, orphan.status) == ("sim-lost", "running")
    assert [one["status"] for one in vendor.created()] == ["running"]
    shown = (await idle_client.get("/providers/simulated/orphans")).json()["data"]
    assert [one["remote"] for one in shown] == ["sim-lost"]


async def test_a_rate_limit_holds_back_every_replica(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    job = await submitted_job(idle_client, house)
    vendor.order("observe", "limit")

    await observe.tick(shop_of(house), "simulated")

    assert await work.is_held_back(shop_of(house), "simulated")
    assert not await work.is_held_back(shop_of(house), "another")
    seen = (await idle_client.get(f"/jobs/{job}")).json()
    assert (seen["status"], seen["stale"]) == ("running", False)
    assert seen["status_detail"] == "Too many requests."
