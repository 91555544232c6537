"""What the tests of storage share."""

from collections.abc import AsyncGenerator

import pytest

from app.storage.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A database of its own, without a house."""
    database = Database(database_url)
    yield database
    await database.dispose()
