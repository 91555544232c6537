"""Notices: what happened to models, aliases and webhooks."""

from collections.abc import Sequence

from app.domain.notices import Notice
from app.storage import notices
from app.storage.database import Database


class Notices:
    """What a user reads of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_after(self, after: int, *, type: str | None, limit: int) -> Sequence[Notice]:
        """Notices above a number, oldest first."""
        async with self._database.read() as connection:
            return await notices.list_after(connection, after, type=type, limit=limit)
