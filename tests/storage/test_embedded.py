"""SQLite's driver: what a statement leaves behind once its errand is done."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from app.storage import embedded

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT begun() UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncGenerator[embedded.Connection]:
    opened = embedded.connect(str(tmp_path / "small.db"), isolation_level=None)
    await opened
    await opened.cursor().execute("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT UNIQUE)")
    yield opened
    await opened.close()


async def test_a_statement_brings_its_rows_along(connection: embedded.Connection) -> None:
    cursor = connection.cursor()

    await cursor.execute("INSERT INTO words (word) VALUES (?), (?) RETURNING id", ("a", "b"))

    assert await cursor.fetchall() == [(1,), (2,)]
    assert [column[0] for column in cursor.description] == ["id"]
    assert cursor.lastrowid == 2


async def test_many_sets_of_parameters_are_counted(connection: embedded.Connection) -> None:
    cursor = connection.cursor()

    await cursor.executemany("INSERT INTO words (word) VALUES (?)", [("a",), ("b",)])

    assert (cursor.rowcount, cursor.description, await cursor.fetchall()) == (2, None, ())


async def test_what_fails_leaves_the_connection_as_it_was(connection: embedded.Connection) -> None:
    insert = "INSERT INTO words (word) VALUES ('a')"
    await connection.cursor().execute(insert)

    with pytest.raises(sqlite3.IntegrityError):
        await connection.cursor().execute(insert)

    cursor = connection.cursor()
    await cursor.execute("SELECT word FROM words")
    assert await cursor.fetchall() == [("a",)]


async def test_who_leaves_during_a_statement_holds_up_nobody(
    connection: embedded.Connection,
) -> None:
    loop, has_begun = asyncio.get_running_loop(), asyncio.Event()

    def begun() -> None:
        loop.call_soon_threadsafe(has_begun.set)

    await connection.create_function("begun", 0, begun)
    asking = asyncio.create_task(connection.cursor().execute(ENDLESS))
    await has_begun.wait()

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await connection.interrupt()

    cursor = connection.cursor()
    await cursor.execute("SELECT 1")
    assert await cursor.fetchall() == [(1,)]
