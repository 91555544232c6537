"""Whether this version can work with a database, whichever version migrated it last."""

from enum import Enum

from sqlalchemy import Connection, Integer, inspect, select
from sqlalchemy.orm import Mapped, mapped_column

from app.storage import migrating
from app.storage.base import Row
from app.storage.database import Database


class SchemaReaderRow(Row):
    """One row: the oldest revision whose version can read and write the schema as it is now.

    A migration that takes away or tightens what that version uses writes a later one.
    """

    __tablename__ = "schema_readers"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    oldest: Mapped[str]


class DatabaseNewer(Exception):
    """A later version of Luthier has changed the database in a way that this one cannot follow."""


class Standing(Enum):
    """A database's schema, seen from this version."""

    CURRENT = "current"
    BEHIND = "behind"
    """It has to be migrated before this version can work with it."""

    AHEAD = "ahead"
    """A later version has added to it, and this one can go on working beside that version."""


async def standing(database: Database) -> Standing:
    """How the database stands; raises `DatabaseNewer` where this version cannot work with it."""
    known = migrating.known_revisions()
    async with database.read() as connection:
        revision = await connection.run_sync(migrating.revision_of)
        if revision == migrating.head():
            return Standing.CURRENT
        if revision is None or revision in known:
            return Standing.BEHIND
        oldest = await connection.run_sync(_oldest_reader)
    if oldest in known:
        return Standing.AHEAD
    raise DatabaseNewer(
        f"The database is at revision {revision}, and this version of Luthier knows revisions up "
        f"to {migrating.head()} only. Install a version that knows {oldest or revision}, such as "
        "the one that migrated it, or restore the backup from before."
    )


def _oldest_reader(connection: Connection) -> str | None:
    if not inspect(connection).has_table(SchemaReaderRow.__tablename__):
        return None
    return connection.execute(select(SchemaReaderRow.oldest)).scalar_one_or_none()
