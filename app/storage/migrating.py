"""Bringing a database up to date, and knowing whether it is."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from app.storage.database import Database

_PACKAGED = Path(__file__).parent / "migrations"
_IN_CHECKOUT = Path(__file__).parents[2] / "migrations"


class DatabaseNewer(Exception):
    """The database was brought to a revision that this version of Luthier does not know."""


async def migrate(url: URL) -> None:
    """Bring the database to this version's schema; raises `DatabaseNewer` rather than go back."""
    await asyncio.to_thread(command.upgrade, alembic_config(url), "head")


async def is_current(database: Database) -> bool:
    """Whether the schema is the one that this version expects."""
    async with database.read() as connection:
        revision = await connection.run_sync(_revision)
    return revision == head()


async def refuse_newer(database: Database) -> None:
    """Raise `DatabaseNewer` where a later version of Luthier has migrated this database."""
    async with database.read() as connection:
        revision = await connection.run_sync(_revision)
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseNewer(
            f"The database is at revision {revision}, which this version of Luthier does not know. "
            "Install the version that migrated it, or a later one."
        )


def head() -> str | None:
    """The revision that this version expects."""
    return _scripts().get_current_head()


def alembic_config(url: URL) -> Config:
    """Alembic's configuration for one database, without a file."""
    config = Config()
    config.set_main_option("script_location", str(_location()))
    config.attributes["url"] = url
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_location()))


def _location() -> Path:
    return _PACKAGED if _PACKAGED.is_dir() else _IN_CHECKOUT


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
