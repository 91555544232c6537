"""A vendor that does not answer makes a job stale, and never failed."""

import httpx

from app.bootstrap import House
from app.reconciler import observe, submit
from app.reconciler.work import Workshop
from app.storage import jobs
from tests.crash.following import add_dataset, events, queue_job
from tests.simulated.simulated_provider import SimulatedProvider


async def test_f4_a_vendor_out_of_reach_for_long_makes_a_job_stale_and_nothing_else(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    job = await queue_job(idle_client)
    shop = Workshop(house.database, house.blobs, house.providers, house.signals, owner="test")
    await submit.tick(shop, "simulated")
    vendor.order("observe", "lose", times=25)
    for _ in range(25):
        await look(shop, job)
    seen = (await idle_client.get(f"/jobs/{job}")).json()
    assert (seen["status"], seen["stale"], seen["error"]) == ("running", True, None)
    assert seen["observed_at"] is not None
    await look(shop, job)
    seen = (await idle_client.get(f"/jobs/{job}")).json()
    assert (seen["status"], seen["stale"]) == ("running", False)
    await look(shop, job)
    seen = (await idle_client.get(f"/jobs/{job}")).json()
    assert (seen["status"], len(seen["attempts"])) == ("succeeded", 1)
    assert (await events(idle_client, job)).count("job.stale") == 1
    assert len(vendor.created()) == 1


async def look(shop: Workshop, job: str) -> None:
    """Let the back-off pass and the chore look."""
    async with shop.database.write() as connection:
        await jobs.make_due(connection, job)
    assert await observe.tick(shop, "simulated") == 1
