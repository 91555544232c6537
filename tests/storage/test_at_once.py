"""What several replicas write of the same thing at the same moment: each is through, once."""

import asyncio

from app.storage import orphans, throttles
from app.storage.database import Database

REPLICAS = 8


async def test_a_provider_that_is_full_is_left_alone_by_all_that_it_tells_at_once(
    database: Database,
) -> None:
    async def told(seconds: float) -> None:
        async with database.write() as connection:
            await throttles.hold_back(connection, "acme", seconds=seconds)

    await asyncio.gather(*(told(60) for _ in range(REPLICAS)))
    async with database.read() as connection:
        was_held_back = await throttles.is_held_back(connection, "acme")
    await asyncio.gather(*(told(0) for _ in range(REPLICAS)))
    async with database.read() as connection:
        is_held_back = await throttles.is_held_back(connection, "acme")

    assert was_held_back
    assert not is_held_back


async def test_an_orphan_that_all_see_at_once_is_new_to_one(database: Database) -> None:
    async def seen() -> bool:
        async with database.write() as connection:
            return await orphans.see(connection, "acme", remote_id="1", key="k-1", status=None)

    news = await asyncio.gather(*(seen() for _ in range(REPLICAS)))

    assert sorted(news) == [False] * (REPLICAS - 1) + [True]
