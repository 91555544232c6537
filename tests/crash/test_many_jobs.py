"""Crowds: hundreds of jobs over a crash, requests that one cut off, and 512 requests at once."""

import asyncio

import httpx
import pytest

from tests.crash.following import add_dataset, finished, queue_job
from tests.crash.processes import DEADLINE_SECONDS, Luthier
from tests.simulated.simulated_provider import SimulatedProvider


@pytest.mark.parametrize("many", [200, pytest.param(1000, marks=pytest.mark.long)])
async def test_f3_many_jobs_outlive_a_crash(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider, many: int
) -> None:
    luthier.providers["simulated"]["looks_until_done"] = 1
    await add_dataset(idle_client)
    jobs = await asyncio.gather(*(queue_job(idle_client) for _ in range(many)))
    await luthier.start()
    await finished(idle_client, jobs[many // 5])
    await luthier.kill()
    await luthier.start()
    for job in jobs:
        seen = await finished(idle_client, job)
        assert (seen["status"], len(seen["attempts"])) == ("succeeded", 1)
    keys = [job["key"] for job in vendor.created()]
    assert len(keys) == len(set(keys)) == many


async def test_f2_requests_that_a_crash_cut_off_may_be_repeated(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider
) -> None:
    keys = [f"request-{number}" for number in range(100)]
    await add_dataset(idle_client)
    await luthier.start()
    async with crowd(await luthier.ready()) as client:
        asked = [asyncio.create_task(queue_job(client, key=key)) for key in keys]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        await luthier.kill()
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert any(isinstance(answer, httpx.TransportError) for answer in answers)
    await luthier.start()
    async with crowd(await luthier.ready()) as client:
        jobs = await asyncio.gather(*(queue_job(client, key=key) for key in keys))
        for job in jobs:
            assert (await finished(client, job))["status"] == "succeeded"
    assert len(set(jobs)) == len(vendor.created()) == 100


@pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)
async def test_f17_512_requests_at_once_meet_no_error_and_leave_no_job_stuck(
    idle_client: httpx.AsyncClient, luthier: Luthier
) -> None:
    await add_dataset(idle_client)
    first = await queue_job(idle_client)
    paths = ["/jobs", f"/jobs/{first}", f"/jobs/{first}/events"]
    await luthier.start()
    async with crowd(await luthier.ready()) as client:
        orders = [queue_job(client) for _ in range(128)]
        looks = [client.get(path) for path in paths * 128]
        jobs, answers = await asyncio.gather(asyncio.gather(*orders), asyncio.gather(*looks))
        assert {answer.status_code for answer in answers} == {200}
        for job in jobs:
            assert (await finished(client, job))["status"] == "succeeded"


def crowd(url: str) -> httpx.AsyncClient:
    """A connection of its own for each request."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=DEADLINE_SECONDS, trust_env=False)
