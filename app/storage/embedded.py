"""SQLite's driver: each statement is one errand to the connection's thread, its rows included.

aiosqlite's own cursor goes there four times: to begin, to execute, to fetch, to close. Going there
takes longer than most of our statements.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite


def connect(path: str, **options: Any) -> "Connection":
    """A connection that opens when it is awaited; the options are those of `sqlite3.connect`."""
    return Connection(lambda: sqlite3.connect(path, **options), iter_chunk_size=1)


class Connection(aiosqlite.Connection):
    """What SQLAlchemy's adapter for aiosqlite needs of a connection, with a cursor of ours."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], iter_chunk_size: int) -> None:
        super().__init__(connector, iter_chunk_size)
        # As the adapter does it for connections that it makes itself: none holds up a process.
        self._thread.daemon = True

    def cursor(self) -> "Cursor":  # pyright: ignore[reportIncompatibleMethodOverride]
        """A cursor for one statement."""
        return Cursor(self)

    async def run(self, errand: Callable[[sqlite3.Connection], None]) -> None:
        """Have the thread do something with the connection."""
        await self._execute(errand, self._conn)  # pyright: ignore[reportUnknownMemberType]


class Cursor:
    """What the adapter needs of a cursor; when a statement is done, all its rows are here."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and fetch its rows."""
        await self._connection.run(lambda it: self._take(it.execute(statement, parameters)))

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each set of parameters."""
        await self._connection.run(lambda it: self._take(it.executemany(statement, parameters)))

    async def fetchall(self) -> Sequence[Any]:
        """The rows of the statement."""
        return self._rows

    async def close(self) -> None:
        """Nothing is left to close."""

    def _take(self, cursor: sqlite3.Cursor) -> None:
        """In the thread: take what there is, and let the statement go."""
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description is not None else ()
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()
