"""The revisions of the schema, and bringing a database up to the last."""

import asyncio
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import URL

_PACKAGED = Path(__file__).parent / "migrations"
_IN_CHECKOUT = Path(__file__).parents[2] / "migrations"


async def migrate(url: URL) -> None:
    """Bring the database, of a revision that this version knows, to this version's schema."""
    await asyncio.to_thread(command.upgrade, alembic_config(url), "head")


@cache
def head() -> str | None:
    """The revision that this version expects."""
    return _scripts().get_current_head()


@cache
def known_revisions() -> frozenset[str]:
    """All revisions of this version."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def revision_of(connection: Connection) -> str | None:
    """The revision that the database is at; None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


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
