"""Jobs that break whoever works on them: parked in the end, and no other job suffers."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app.bootstrap import House
from app.domain.jobs import Checkpoint, Remote
from app.domain.provider import Observation, RemoteState
from app.reconciler import accidents, evaluate, observe, steer, submit, work
from app.reconciler.work import Workshop
from app.storage import evaluations, queues
from app.storage.evaluations import EvaluationRow
from app.storage.jobs import JobRow
from app.storage.queues import AWAITS_CREATION, AWAITS_OBSERVATION
from tests.crash.following import add_dataset, events, queue_job
from tests.simulated.simulated_provider import SimulatedOptions, SimulatedProvider


class Poisonous(SimulatedProvider):
    """A vendor that says of a job what no column can hold, and hangs over another one."""

    poisoned = ""
    hanging = ""
    is_hanging: asyncio.Event

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        if remote.id == self.hanging:
            self.is_hanging.set()
            await asyncio.Event().wait()
        if remote.id != self.poisoned:
            return await super().observe(remote, cursor)
        saved = [Checkpoint(step=2**80, name="too far")]
        return Observation(
            state=RemoteState.RUNNING, remote=remote, look_again_in=0.0, checkpoints=saved
        )


@pytest.fixture
def vendor(tmp_path: Path) -> Poisonous:
    return Poisonous(SimulatedOptions(folder=tmp_path / "vendor"))


@pytest.fixture
def shop(house: House) -> Workshop:
    """What the chores of one replica work with."""
    return Workshop(house.database, house.blobs, house.providers, house.signals, owner="test")


async def make_due(shop: Workshop, row: type[Any] = JobRow) -> None:
    """Let no back-off and no dead worker's lease be waited for."""
    async with shop.database.write() as connection:
        await connection.execute(row.__table__.update().values(next_at=0, lease_owner=None))


async def job_of(client: httpx.AsyncClient, job: str) -> dict[str, Any]:
    return (await client.get(f"/jobs/{job}")).json()


async def die(shop: Workshop, *, times: int) -> None:
    """Workers that claim what is under way at the provider, and are never heard of again."""
    for _ in range(times):
        async with shop.database.write() as connection:
            await queues.claim(
                connection,
                provider="simulated",
                awaiting=AWAITS_OBSERVATION,
                owner="dead",
                limit=50,
            )
        await make_due(shop)


async def work_until_killed(shop: Workshop, vendor: Poisonous) -> None:
    """One tick of a worker that is killed where the vendor hangs."""
    await make_due(shop)
    vendor.is_hanging = asyncio.Event()
    tasks: set[asyncio.Task[Any]] = {
        asyncio.create_task(observe.tick(shop, "simulated")),
        asyncio.create_task(vendor.is_hanging.wait()),
    }
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def test_an_unwritable_look_parks_its_job_and_no_other(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    await add_dataset(idle_client)
    poison, fine = await queue_job(idle_client), await queue_job(idle_client)
    await submit.tick(shop, "simulated")
    vendor.poisoned = (await job_of(idle_client, poison))["remote"]["id"]

    for _ in range(accidents.MOST):
        await make_due(shop)
        await observe.tick(shop, "simulated")

    assert (await job_of(idle_client, fine))["status"] == "succeeded"
    parked = await job_of(idle_client, poison)
    assert parked["status"] == "blocked"
    assert parked["status_detail"].startswith("3 tries in a row to work on the job broke (")
    assert (await events(idle_client, poison))[-1] == "job.parked"


async def test_a_parked_job_goes_on_where_it_stopped(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    job = await parked_job(idle_client, shop)

    answer = await idle_client.post(f"/jobs/{job}/retry")
    for _ in range(2):
        await make_due(shop)
        await observe.tick(shop, "simulated")

    assert answer.json()["status"] == "running"
    seen = await job_of(idle_client, job)
    assert (seen["status"], len(seen["attempts"]), len(vendor.created())) == ("succeeded", 1, 1)


async def test_a_parked_job_can_be_cancelled_at_its_provider(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    job = await parked_job(idle_client, shop)

    answer = await idle_client.post(f"/jobs/{job}/cancel")
    await steer.tick(shop, "simulated")

    assert answer.json()["status"] == "cancelling"
    assert (await job_of(idle_client, job))["status"] == "cancelled"
    assert [one["status"] for one in vendor.created()] == ["cancelled"]


async def test_a_job_that_kills_every_worker_is_parked_and_its_neighbours_are_not(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    await add_dataset(idle_client)
    ids = [await queue_job(idle_client) for _ in range(3)]
    await submit.tick(shop, "simulated")
    vendor.hanging = (await job_of(idle_client, ids[0]))["remote"]["id"]

    for _ in range(12):
        await work_until_killed(shop, vendor)

    statuses = [(await job_of(idle_client, job))["status"] for job in ids]
    assert statuses == ["blocked", "succeeded", "succeeded"]


async def left_by_the_dead(client: httpx.AsyncClient, shop: Workshop) -> list[str]:
    """Running jobs whose worker died when it had claimed them all."""
    await add_dataset(client)
    ids = [await queue_job(client) for _ in range(5)]
    await submit.tick(shop, "simulated")
    await die(shop, times=1)
    return ids


async def test_deaths_of_workers_are_not_laid_at_the_door_of_those_that_only_waited(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    ids = await left_by_the_dead(idle_client, shop)

    for _ in range(accidents.MOST):
        assert await work.claim(shop, "simulated", AWAITS_OBSERVATION) == []
        assert await work.claim_suspect(shop, "simulated", AWAITS_OBSERVATION) is not None
        await make_due(shop)
    for _ in range(2 * len(ids)):
        await observe.tick(shop, "simulated")
        await make_due(shop)

    statuses = [(await job_of(idle_client, job))["status"] for job in ids]
    assert sorted(statuses)[1:] == ["succeeded"] * 4


async def test_all_who_waited_when_their_worker_died_are_looked_at_in_one_tick(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    ids = await left_by_the_dead(idle_client, shop)

    assert await observe.tick(shop, "simulated") == len(ids)


async def test_of_two_suspects_one_to_create_and_one_to_look_up_none_waits_for_the_other(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    await add_dataset(idle_client)
    ids = [await queue_job(idle_client) for _ in range(2)]
    async with shop.database.write() as connection:
        await connection.execute(update(JobRow).values(accidents=1))
        await connection.execute(
            update(JobRow).where(JobRow.id == ids[0]).values(status="submitting", intent_at=0)
        )

    await submit.tick(shop, "simulated")

    assert [(await job_of(idle_client, job))["status"] for job in ids] == ["running"] * 2


async def test_a_job_is_parked_before_anything_was_sent(
    idle_client: httpx.AsyncClient, shop: Workshop, vendor: Poisonous
) -> None:
    await add_dataset(idle_client)
    job = await queue_job(idle_client)
    for _ in range(accidents.MOST):
        async with shop.database.write() as connection:
            claimed = await queues.claim(
                connection,
                provider="simulated",
                awaiting=AWAITS_CREATION,
                owner="dead",
                limit=1,
            )
        assert len(claimed) == 1
        await make_due(shop)

    await submit.tick(shop, "simulated")

    assert (await job_of(idle_client, job))["status"] == "blocked"
    assert vendor.created() == []


async def test_an_evaluation_that_kills_every_worker_fails_in_the_end(
    idle_client: httpx.AsyncClient, shop: Workshop
) -> None:
    await add_dataset(idle_client)
    order = {"dataset": "echo", "candidates": ["simulated/sim-base"], "metrics": ["exact_match"]}
    asked = await idle_client.post("/evaluations", json=order)
    assert asked.status_code == 201, asked.text
    for _ in range(evaluate.MOST_ACCIDENTS):
        async with shop.database.write() as connection:
            await evaluations.claim(connection, owner="dead", limit=1)
        await make_due(shop, EvaluationRow)

    await evaluate.tick(shop)

    seen = (await idle_client.get(f"/evaluations/{asked.json()['id']}")).json()
    assert (seen["status"], seen["error"]["code"]) == ("failed", "work_broke")


async def parked_job(client: httpx.AsyncClient, shop: Workshop) -> str:
    """A job at the vendor on which worker after worker died."""
    await add_dataset(client)
    job = await queue_job(client)
    await submit.tick(shop, "simulated")
    await die(shop, times=accidents.MOST)
    await observe.tick(shop, "simulated")
    assert (await job_of(client, job))["status"] == "blocked"
    return job
