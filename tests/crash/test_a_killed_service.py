"""The service dies by kill -9 at the vendor's door, and each job still gets one paid training."""

import asyncio
import random
from collections import Counter

import httpx

from tests.crash.following import add_dataset, events, finished, queue_job, until
from tests.crash.processes import Luthier
from tests.simulated.simulated_provider import SimulatedProvider

POINTS = ["submit", "submit-done", "find", "observe", "observe-done", "probe"]


async def test_f1_a_job_ends_well_wherever_the_service_was_killed(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    await luthier.start()
    for number, point in enumerate(POINTS, start=1):
        vendor.order(point, "die")
        if point == "find":
            vendor.order("submit-done", "lose")
        job = await queue_job(idle_client)
        await luthier.died()
        await luthier.start()
        seen = await finished(idle_client, job)
        assert (seen["status"], len(seen["attempts"])) == ("succeeded", 1), (point, seen)
        assert (await events(idle_client, job))[-1] == "job.succeeded"
        assert len(vendor.created()) == number, point
    assert max(created_by_key(vendor).values()) == 1


async def test_f6_a_cancel_is_carried_out_though_the_service_was_killed_over_it(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider
) -> None:
    luthier.providers["simulated"]["looks_until_done"] = 1_000_000
    await add_dataset(idle_client)
    await luthier.start()
    for point in ("cancel", "cancel-done"):
        job = await queue_job(idle_client)
        await until(idle_client, job, "running")
        vendor.order(point, "die")
        await idle_client.post(f"/jobs/{job}/cancel")
        await luthier.died()
        await luthier.start()
        seen = await finished(idle_client, job)
        assert (seen["status"], len(seen["attempts"])) == ("cancelled", 1), (point, seen)
        assert (await events(idle_client, job)).count("job.cancelled") == 1
    assert [job["status"] for job in vendor.created()] == ["cancelled", "cancelled"]


async def test_f1_lost_and_missing_answers_to_a_creation_make_no_second_job(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider
) -> None:
    await add_dataset(idle_client)
    await luthier.start()
    for point, what in (("submit", "lose"), ("submit-done", "lose"), ("submit-done", "hang")):
        vendor.order(point, what)
        job = await queue_job(idle_client)
        seen = await finished(idle_client, job)
        assert (seen["status"], len(seen["attempts"])) == ("succeeded", 1), (point, seen)
        assert "job.outcome_unknown" in await events(idle_client, job)
    assert list(created_by_key(vendor).values()) == [1, 1, 1]


async def test_f3_kills_at_random_moments_lose_no_job_and_double_none(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider
) -> None:
    luthier.providers["simulated"]["looks_until_done"] = 6
    chance = random.Random(20)
    await add_dataset(idle_client)
    jobs: list[str] = []
    for _ in range(4):
        await luthier.start()
        await luthier.ready()
        jobs += [await queue_job(idle_client) for _ in range(8)]
        # The moment is the one thing here that is not to be waited for but to be hit upon.
        await asyncio.sleep(chance.uniform(0.0, 0.8))
        await luthier.kill()
    await luthier.start()
    for job in jobs:
        seen = await finished(idle_client, job)
        assert (seen["status"], len(seen["attempts"])) == ("succeeded", 1), seen
        assert (await events(idle_client, job)).count("job.succeeded") == 1
    assert list(created_by_key(vendor).values()) == [1] * 32


def created_by_key(vendor: SimulatedProvider) -> Counter[str]:
    """How many jobs the vendor made for each submission key."""
    return Counter(job["key"] for job in vendor.created())
