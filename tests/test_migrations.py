"""The migrations lead to the very schema that the rows describe, on both databases."""

import asyncio

import pytest
from alembic import command
from sqlalchemy import text

from app.storage import compatibility, datasets, migrating
from app.storage.compatibility import DatabaseNewer, Standing
from app.storage.database import Database, normalise
from tests import later


async def test_rows_and_migrations_agree(database_url: str) -> None:
    config = migrating.alembic_config(normalise(database_url))

    await asyncio.to_thread(command.check, config)


async def test_the_schema_can_be_taken_down_and_built_again(database_url: str) -> None:
    config = migrating.alembic_config(normalise(database_url))

    await asyncio.to_thread(command.downgrade, config, "base")
    await asyncio.to_thread(command.upgrade, config, "head")

    await asyncio.to_thread(command.check, config)


async def test_versions_that_are_there_keep_their_numbers(database_url: str) -> None:
    config = migrating.alembic_config(normalise(database_url))
    await asyncio.to_thread(command.downgrade, config, "0003")
    database = Database(database_url)
    async with database.write() as connection:
        for version in (1, 4):
            await connection.execute(
                text(
                    "INSERT INTO datasets (id, name, version, kind, format, examples, bytes, "
                    f"sha256, created_at) VALUES ('ds_{version}', 'echo', {version}, 'chat', "
                    f"'chat', 1, 1, '{version}', 0)"
                )
            )

    await asyncio.to_thread(command.upgrade, config, "head")

    async with database.write() as connection:
        assert await datasets.take_version(connection, "echo") == 5
        assert await datasets.take_version(connection, "other") == 1
    await database.dispose()


async def test_a_database_that_a_later_version_only_added_to_can_be_worked_with(
    database_url: str,
) -> None:
    database = Database(database_url)
    assert await compatibility.standing(database) is Standing.CURRENT

    await later.expand(database)

    assert await compatibility.standing(database) is Standing.AHEAD
    await database.dispose()


async def test_a_database_that_a_later_version_took_from_is_refused(database_url: str) -> None:
    database = Database(database_url)

    await later.expand(database)
    await later.contract(database)

    with pytest.raises(DatabaseNewer, match=rf"from_later.*{migrating.head()}.*also_later"):
        await compatibility.standing(database)
    await database.dispose()
