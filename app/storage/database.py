"""Engines and connections: which database it is, only this, `base.py` and `embedded.py` know."""

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import event, select, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.domain.errors import DatabaseUnavailable
from app.storage import embedded
from app.storage.base import SQLITE_CLOCK, database_now

SQLITE_READERS = 4
"""Reading is short and SQLite's readers never wait for the writer."""

WRITING = "BEGIN IMMEDIATE"
"""SQLite takes its one writer's place at once: a transaction that reads first cannot lose it."""

POOL_WAIT_SECONDS = 30.0

READ_ONLY = "25006"
"""PostgreSQL's state for a write where none may be: a replica, or a primary that was one."""


def wall_clock() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Database:
    """Reading and writing with transactions as short as the block they stand around.

    SQLite has one writer per process, taken in turn; its readers see the last commit. `clock` is
    the time of an embedded database, and `connect` stands in for its driver. A transaction waits
    `pool_wait` seconds for one of `pool` connections to PostgreSQL.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], int] = wall_clock,
        pool: int = 10,
        pool_wait: float = POOL_WAIT_SECONDS,
        connect: Callable[..., Awaitable[Any]] | None = None,
    ) -> None:
        self.url = normalise(url)
        self.is_embedded = self.url.get_backend_name() == "sqlite"
        self._writer_turn = asyncio.Lock() if self.is_embedded else None
        self._reader_turns = asyncio.Semaphore(SQLITE_READERS) if self.is_embedded else None
        if self.is_embedded:
            self._writer = _sqlite_engine(self.url, clock, connect, size=1, begin=WRITING)
            self._reader = _sqlite_engine(self.url, clock, connect, size=SQLITE_READERS)
        else:
            self._writer = _postgres_engine(self.url, pool, pool_wait)
            self._reader = _postgres_engine(
                self.url,
                pool,
                pool_wait,
                isolation_level="AUTOCOMMIT",
                skip_autocommit_rollback=True,
            )

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection that changes nothing; each statement sees the last commit."""
        async with _turn(self._reader_turns), _speaking(), self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction: committed when the block ends well, rolled back otherwise."""
        async with _turn(self._writer_turn), _speaking(), self._writer.begin() as connection:
            yield connection

    async def now(self) -> int:
        """The database's time, in milliseconds since 1970."""
        async with self.read() as connection:
            return (await connection.execute(select(database_now()))).scalar_one()

    async def ping(self) -> None:
        """Return when the database answers; raises `DatabaseUnavailable`."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close all connections."""
        await self._writer.dispose()
        await self._reader.dispose()


def normalise(url: str) -> URL:
    """The URL with the asynchronous driver that we use; raises ValueError for another database."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"{backend} is not a database that Luthier knows: use sqlite or postgresql")


def embedded_url(data_dir: Path) -> str:
    """The default database: one file in the data directory."""
    return f"sqlite:///{data_dir / 'luthier.db'}"


def _sqlite_engine(
    url: URL,
    clock: Callable[[], int],
    connect: Callable[..., Awaitable[Any]] | None,
    *,
    size: int,
    begin: str | None = None,
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={"timeout": 30, "async_creator_fn": connect or embedded.connect},
        # Readers open no transaction; the writer's own is rolled back as ever.
        skip_autocommit_rollback=begin is None,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # SQLAlchemy, not the driver, says where a transaction begins.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # NORMAL may lose the last commit in a power cut, and a lost intent is a second paid job.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()
        connection.create_function(SQLITE_CLOCK, 0, clock)

    if begin is not None:

        @event.listens_for(engine.sync_engine, "begin")
        def open_transaction(connection: Any) -> None:  # pyright: ignore[reportUnusedFunction]
            connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: URL, pool: int, pool_wait: float, **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=pool_wait,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={"connect_timeout": 10},
        **options,
    )

    @event.listens_for(engine.sync_engine, "handle_error")
    def leave(context: ExceptionContext) -> None:  # pyright: ignore[reportUnusedFunction]
        # A server that has become a replica stays one: new connections find the new primary.
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
            context.is_disconnect = True

    return engine


def _to_json(value: Any) -> str:
    """JSON without NUL, which PostgreSQL could store inside it and then not read out."""
    return _NUL.sub(r"\1\\ufffd", msgspec.json.encode(value).decode())


_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


@asynccontextmanager
async def _turn(turns: asyncio.Lock | asyncio.Semaphore | None) -> AsyncGenerator[None]:
    """Wait for one's turn here, in order, rather than in the pool with a time limit."""
    if turns is None:
        yield
        return
    async with turns:
        yield


@asynccontextmanager
async def _speaking() -> AsyncGenerator[None]:
    """A database that does not answer becomes `DatabaseUnavailable`; a wrong statement stays."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        if _is_mistake(error):
            raise
        raise DatabaseUnavailable("The database does not answer; try again shortly.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable("The connection to the database was lost.") from error
        raise


def _is_mistake(error: Exception) -> bool:
    """SQLite calls a wrong statement operational as well; its own code tells them apart."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
