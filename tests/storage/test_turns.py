"""Projects take turns: a long queue of one holds up no other, on both databases."""

from collections import Counter

from app.bootstrap import House
from app.domain.jobs import Event
from app.reconciler import work
from app.reconciler.work import Workshop
from app.storage import jobs, queues, tenancy
from tests.reconciling import shop_of
from tests.storage.test_leases import queued


async def add(house: House, project: str, count: int) -> None:
    with tenancy.working_for(tenancy.Tenant(project)):
        async with house.database.write() as connection:
            for _ in range(count):
                await jobs.add(connection, queued(), Event("job.created"))


async def turn(shop: Workshop, *, limit: int) -> Counter[str]:
    with tenancy.as_service():
        claimed = await work.claim_in_turn(shop, "simulated", limit=limit)
    return Counter(one.job.project_id for one in claimed)


async def test_a_late_project_comes_next(house: House) -> None:
    shop = shop_of(house)
    await add(house, "prj_crowd", 200)
    assert await turn(shop, limit=10) == {"prj_crowd": 10}

    await add(house, "prj_late", 1)

    assert await turn(shop, limit=1) == {"prj_late": 1}
    assert await turn(shop, limit=1) == {"prj_crowd": 1}


async def test_a_batch_is_shared_and_nothing_of_it_is_left(house: House) -> None:
    shop = shop_of(house)
    for project, count in {"prj_a": 1, "prj_b": 50, "prj_c": 50}.items():
        await add(house, project, count)

    assert await turn(shop, limit=21) == {"prj_a": 1, "prj_b": 10, "prj_c": 10}


async def test_more_projects_than_places_are_served_one_after_the_other(house: House) -> None:
    shop = shop_of(house)
    projects = [f"prj_{number}" for number in range(7)]
    for project in projects:
        await add(house, project, 3)

    served: Counter[str] = Counter()
    for _ in range(7):
        served += await turn(shop, limit=2)

    assert served == dict.fromkeys(projects, 2)


async def test_a_job_that_waits_for_later_takes_no_turn(house: House) -> None:
    shop = shop_of(house)
    await add(house, "prj_waiting", 1)
    assert await turn(shop, limit=1) == {"prj_waiting": 1}

    async with house.database.read() as connection:
        assert await queues.waiting_projects(connection, "simulated") == []
    assert await turn(shop, limit=1) == {}
