"""Two versions side by side: this one beside a later one that has migrated the database."""

import httpx
import pytest

from app.bootstrap import House
from app.storage import migrating
from tests import later
from tests.crash.following import add_dataset, finished, queue_job
from tests.crash.processes import Luthier


async def test_this_version_works_on_beside_one_that_only_added(
    idle_client: httpx.AsyncClient, luthier: Luthier, house: House
) -> None:
    await add_dataset(idle_client)
    await luthier.start()
    url = await luthier.ready()

    await later.expand(house.database)

    assert (await asked(f"{url}/readyz")).is_success
    job = await queue_job(idle_client)
    assert (await finished(idle_client, job))["status"] == "succeeded"
    await luthier.kill()
    await luthier.start("migrate")
    assert await luthier.ended() == 0, luthier.log()
    await luthier.start()
    await luthier.ready()


async def test_this_version_steps_aside_for_one_that_took_something_away(
    luthier: Luthier, house: House
) -> None:
    await luthier.start()
    url = await luthier.ready()

    await later.expand(house.database)
    await later.contract(house.database)

    answer = await asked(f"{url}/readyz")
    assert answer.status_code == 503
    assert "from_later" in answer.json()["checks"]["database"]


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",), ("migrate",)])
async def test_a_newer_database_is_refused_in_one_line(
    luthier: Luthier, house: House, command: tuple[str, ...]
) -> None:
    await later.expand(house.database)
    await later.contract(house.database)

    await luthier.start(*command)

    assert await luthier.ended() == 2
    (line,) = luthier.log().splitlines()
    assert line.startswith("luthier: The database is at revision from_later")
    assert f"up to {migrating.head()} only" in line
    assert "Install a version that knows also_later" in line


async def asked(url: str) -> httpx.Response:
    """One answer, on a connection of its own."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.get(url)
