"""A cancel that comes while the provider is being asked is not lost, whatever it answers."""

import httpx
import pytest

from app.bootstrap import House
from app.domain.decide import after_refusal, intend
from app.domain.errors import Later, Steer, YourTurn
from app.reconciler import submit, work
from app.reconciler.work import Workshop
from app.storage.queues import AWAITS_CREATION
from tests.crash.following import add_dataset, queue_job
from tests.simulated.simulated_provider import SimulatedProvider


@pytest.mark.parametrize("said", [Later("Busy.", retry_after=900), YourTurn("Accept the terms.")])
async def test_f6_a_cancel_while_the_job_is_being_submitted_is_kept(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider, said: Steer
) -> None:
    await add_dataset(idle_client)
    job = await queue_job(idle_client)
    shop = Workshop(house.database, house.blobs, house.providers, house.signals, owner="test")
    [claimed] = await work.claim(shop, "simulated", AWAITS_CREATION)
    await work.write(shop, claimed, intend(claimed.job, claimed.now, versions={}), keep_lease=True)
    await idle_client.post(f"/jobs/{job}/cancel")
    await work.write(shop, claimed, after_refusal(claimed.job, said, claimed.now))
    await submit.tick(shop, "simulated")
    assert (await idle_client.get(f"/jobs/{job}")).json()["status"] == "cancelled"
    assert vendor.created() == []
