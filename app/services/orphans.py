"""Orphans: paid work at a provider that no job here knows."""

from collections.abc import Sequence

from app.storage import orphans
from app.storage.database import Database
from app.storage.orphans import Orphan


class Orphans:
    """What a user does about paid work that nobody watches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, provider: str) -> Sequence[Orphan]:
        """What the sweeps found at one provider, the latest first."""
        async with self._database.read() as connection:
            return await orphans.list_all(connection, provider)
