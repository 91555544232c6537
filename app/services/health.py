"""Whether this process can serve: the database answers and this version knows its schema."""

import asyncio

from app.domain.errors import DatabaseUnavailable
from app.storage import compatibility
from app.storage.compatibility import DatabaseNewer, Standing
from app.storage.database import Database


class Health:
    """What readiness means."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Be not ready from now on, so that no new work is sent here, and begin none."""
        self._draining.set()

    async def until_draining(self) -> None:
        """Return once the process is about to end."""
        await self._draining.wait()

    async def check(self) -> dict[str, str]:
        """Each part with `ok` or what is wrong with it."""
        return {
            "service": "draining" if self._draining.is_set() else "ok",
            "database": await self._database_state(),
        }

    async def _database_state(self) -> str:
        try:
            if await compatibility.standing(self._database) is Standing.BEHIND:
                return "the schema is older than this version: run `luthier migrate`"
        except DatabaseNewer as error:
            return str(error)
        except DatabaseUnavailable as error:
            return error.detail
        return "ok"
