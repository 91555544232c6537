"""The audit: who changed what, or tried to."""

from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from app.domain.access import AuditEntry, AuditFilter, Caller
from app.storage import audit
from app.storage.database import Database
from app.storage.ids import new_id
from app.storage.tenancy import Tenant, working_for

PAGE = 500
"""Lines that are held at once where all are wanted."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, and what the answer says of it."""

    operation: str
    object: str | None
    status: int
    code: str | None
    request_id: str
    address: str | None


class Audit:
    """Written by the door for every deed, read by admins."""

    def __init__(self, database: Database, *, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def record(self, caller: Caller, deed: Deed) -> None:
        """Write down what a caller did."""
        entry = AuditEntry(
            id=new_id("aud"),
            project_id=caller.project_id,
            at=self._clock(),
            caller=caller.name,
            key_id=caller.key_id,
            role=caller.role,
            **msgspec.structs.asdict(deed),
        )
        with working_for(Tenant(caller.project_id)):
            async with self._database.write() as connection:
                await audit.add(connection, entry)

    async def list_page(
        self, wanted: AuditFilter, *, before: str | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Lines, newest first."""
        async with self._database.read() as connection:
            return await audit.list_page(connection, wanted, before=before, limit=limit)

    async def all_entries(self, wanted: AuditFilter) -> AsyncIterator[Sequence[AuditEntry]]:
        """Every line, page by page."""
        before: str | None = None
        while page := await self.list_page(wanted, before=before, limit=PAGE):
            yield page
            before = page[-1].id
