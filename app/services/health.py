"""Whether this process can serve: the database answers and has this version's schema."""

from app.domain.errors import DatabaseUnavailable
from app.storage import migrating
from app.storage.database import Database


class Health:
    """What readiness means."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._draining = False

    def drain(self) -> None:
        """Be not ready from now on, so that no new work is sent here."""
        self._draining = True

    async def check(self) -> dict[str, str]:
        """Each part with `ok` or what is wrong with it."""
        return {
            "service": "draining" if self._draining else "ok",
            "database": await self._database_state(),
        }

    async def _database_state(self) -> str:
        try:
            if not await migrating.is_current(self._database):
                return "the schema is not this version's: run `luthier migrate`"
        except DatabaseUnavailable as error:
            return error.detail
        return "ok"
