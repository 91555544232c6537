"""What an operator asks of the whole house, asked of the database now and then only."""

import asyncio
import time

from app.domain.errors import DatabaseUnavailable
from app.domain.gauges import Readings
from app.storage import compatibility, gauges
from app.storage.compatibility import DatabaseNewer, Standing
from app.storage.database import Database
from app.storage.tenancy import as_service

KEPT_SECONDS = 10.0
"""However often and by how many it is asked, the database is not asked more often."""


class Gauges:
    """A look at the database that is kept for a while."""

    def __init__(self, database: Database, *, kept_seconds: float = KEPT_SECONDS) -> None:
        self._database = database
        self._kept_seconds = kept_seconds
        self._turn = asyncio.Lock()
        self._seen: Readings | None = None
        self._stale_at = 0.0

    async def read(self) -> Readings | None:
        """A look that is at most so old; None where the database cannot be read.

        It does not answer, or its schema is not one that this version can work with.
        """
        async with self._turn:
            if time.monotonic() >= self._stale_at:
                self._seen = await self._look()
                self._stale_at = time.monotonic() + self._kept_seconds
            return self._seen

    async def _look(self) -> Readings | None:
        try:
            if await compatibility.standing(self._database) is Standing.BEHIND:
                return None
            with as_service():
                async with self._database.read() as connection:
                    return await gauges.read(connection)
        except (DatabaseUnavailable, DatabaseNewer):
            return None
