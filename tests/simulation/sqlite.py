"""Real SQLite for simulated processes: each call is one step of the loop, and none is a thread."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

BUSY_SECONDS = 30.0
"""How long a statement waits, in simulated time, for another process's transaction."""

Rewrite = Callable[[str], str]


def as_it_is(statement: str) -> str:
    """What every simulation but a mutant does to statements."""
    return statement


class Machine:
    """Opens the connections of one process, and lets go of all of them when it dies."""

    def __init__(self, rewrite: Rewrite = as_it_is) -> None:
        self.rewrite = rewrite
        self._open: list[Connection] = []

    async def connect(self, path: str, **_: Any) -> "Connection":
        """As the driver of the embedded database does."""
        connection = Connection(path, self)
        self._open.append(connection)
        return connection

    def die(self) -> None:
        """As the kernel does for whom it kills: what was not committed never was."""
        for connection in self._open:
            connection.drop()
        self._open.clear()


class Connection:
    """What SQLAlchemy's adapter for aiosqlite needs of a connection."""

    def __init__(self, path: str, machine: Machine) -> None:
        self._connection: sqlite3.Connection | None = sqlite3.connect(path, timeout=0)
        self.rewrite = machine.rewrite
        self._tx = self

    @property
    def _conn(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("connection closed")
        return self._connection

    @property
    def isolation_level(self) -> str | None:
        return self._conn.isolation_level

    def put_nowait(self, order: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        future, function = order
        future.set_result(function())

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        self._conn.create_function(*arguments, **options)

    def cursor(self) -> "Cursor":
        return Cursor(self)

    async def commit(self) -> None:
        # A death before the first step finds nothing committed, one before the second everything.
        await asyncio.sleep(0)
        await patiently(self._conn.commit)
        await asyncio.sleep(0)

    async def rollback(self) -> None:
        await asyncio.sleep(0)
        if self._connection is not None:
            self._connection.rollback()

    async def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    stop = drop


class Cursor:
    """What the adapter needs of a cursor."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = connection._conn.cursor()  # pyright: ignore[reportPrivateUsage]

    async def __aenter__(self) -> "Cursor":
        return self

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> None:
        statement = self._connection.rewrite(statement)
        await asyncio.sleep(0)
        await patiently(lambda: self._cursor.execute(statement, tuple(parameters)))

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        await asyncio.sleep(0)
        await patiently(lambda: self._cursor.executemany(statement, list(parameters)))

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()


async def patiently(act: Callable[[], object]) -> None:
    """Wait for another process's transaction, as SQLite's busy timeout does."""
    waited = 0.0
    for attempt in itertools.count():
        try:
            act()
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code != sqlite3.SQLITE_BUSY or waited >= BUSY_SECONDS:
                raise
        else:
            return
        pause = min(0.01 * 2**attempt, 1.0)
        waited += pause
        await asyncio.sleep(pause)
