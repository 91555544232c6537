"""An answer to a look-up that was lost: nothing new was sent, so nothing has to settle again."""

from pathlib import Path

from sqlalchemy import select, update

from app import bootstrap
from app.bootstrap import House
from app.reconciler import submit
from app.settings import Settings
from app.storage.base import database_now
from app.storage.jobs import JobRow
from tests.crash.following import add_dataset, queue_job
from tests.reconciling import shop_of
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

SETTLE_SECONDS = 600.0


async def milliseconds_until_due(house: House) -> int:
    """Of the one job that there is."""
    async with house.database.read() as connection:
        found = await connection.execute(select(JobRow.next_at - database_now()))
        return int(found.scalar_one())


async def test_a_lost_look_up_is_repeated_soon(database_url: str, tmp_path: Path) -> None:
    vendor = SimulatedProvider.at(tmp_path / "vendor", settle_seconds=SETTLE_SECONDS)
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    house = bootstrap.build(settings, providers={"simulated": vendor})
    async with api(house, reconcile=False) as client:
        await add_dataset(client)
        await queue_job(client)
        vendor.order("submit-done", "lose")
        await submit.tick(shop_of(house), "simulated")
        settling = await milliseconds_until_due(house)
        async with house.database.write() as connection:
            sent = JobRow.intent_at - int(SETTLE_SECONDS * 1000)
            await connection.execute(update(JobRow).values(next_at=database_now(), intent_at=sent))
        vendor.order("find", "lose")
        await submit.tick(shop_of(house), "simulated")
        looking = await milliseconds_until_due(house)

    assert settling > SETTLE_SECONDS * 900
    assert 0 < looking < SETTLE_SECONDS * 100
    assert len(vendor.created()) == 1
