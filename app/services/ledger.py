"""The ledger: what was quoted, what it came to, and sums of both."""

from collections.abc import AsyncIterator, Sequence

from app.domain.ledger import Group, Period, StoredEntry
from app.storage import ledger
from app.storage.database import Database

PAGE = 500
"""Lines that are held at once where all are wanted."""


class Ledger:
    """What a user reads of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_page(
        self, period: Period, *, before: str | None, limit: int
    ) -> Sequence[StoredEntry]:
        """Lines, the latest written first."""
        async with self._database.read() as connection:
            return await ledger.list_page(connection, period, before=before, limit=limit)

    async def sums(self, period: Period, *, by: str, after: int, limit: int) -> Sequence[Group]:
        """Sums by `provider`, `base_model` or `tag:<key>`, from the `after`-th group on."""
        async with self._database.read() as connection:
            return await ledger.sums(connection, period, by=by, after=after, limit=limit)

    async def all_entries(self, period: Period) -> AsyncIterator[Sequence[StoredEntry]]:
        """Every line, page by page."""
        before: str | None = None
        while page := await self.list_page(period, before=before, limit=PAGE):
            yield page
            before = page[-1].id

    async def all_sums(self, period: Period, *, by: str) -> AsyncIterator[Sequence[Group]]:
        """Every group, page by page."""
        after = 0
        while page := await self.sums(period, by=by, after=after, limit=PAGE):
            yield page
            after += len(page)
