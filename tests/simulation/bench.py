"""What simulations share, one after the other: the loop, a folder, and databases."""

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from app.storage.base import Row
from app.storage.blobs import Blobs
from app.storage.database import Database
from tests.simulation.clockwork import Clockwork
from tests.simulation.sqlite import Machine, Rewrite

BEGIN = 1_700_000_000_000
"""The database's time at the begin of every simulation."""

PROCESSES = 12
"""Databases that are ready: each start of a process takes one."""


@dataclass
class Bench:
    """A folder, a loop and databases that are used for one simulation after the other."""

    folder: Path
    loop: Clockwork = field(default_factory=Clockwork)

    def __post_init__(self) -> None:
        self.path = self.folder / "luthier.db"
        self._idle: list[tuple[Machine, Database]] = []
        self._taken: list[tuple[Machine, Database]] = []
        self.blobs = Blobs.at(f"file://{self.folder / 'blobs'}")

    def fresh(self, chance: random.Random, rewrite: Rewrite, planted: str) -> None:
        """An empty database at time 0, with connections that have all been tried once.

        `planted` is run on it before.
        """
        self.loop.reset(chance)
        for path in self.folder.glob("luthier.db*"):
            path.unlink()
        self.path.write_bytes(_empty_database())
        with closing(sqlite3.connect(self.path)) as connection:
            connection.executescript(planted)
        while len(self._idle) < PROCESSES:
            self._idle.append(self._database())
        for machine, _ in self._idle:
            machine.rewrite = rewrite

    def take(self) -> tuple[Machine, Database]:
        """A database of one process of its own."""
        self._taken.append(self._idle.pop())
        return self._taken[-1]

    def clear(self) -> None:
        """Let what is left of all processes unwind, and take their databases back."""
        for machine, _ in self._taken:
            machine.die()
        self.loop.end_all()
        for machine, database in self._taken:
            self.loop.run(database.dispose())
            machine.die()
        self._idle += reversed(self._taken)
        self._taken.clear()

    def now(self) -> int:
        """The database's clock, which is nobody's else."""
        return BEGIN + int(self.loop.seconds * 1000)

    def _database(self) -> tuple[Machine, Database]:
        machine = Machine()
        url = f"sqlite:///{self.path}"
        database = Database(url, clock=self.now, connect=machine.connect)
        self.loop.run(_try_once(database))
        return machine, database


async def _try_once(database: Database) -> None:
    async with database.read(), database.write():
        pass
    await database.dispose()


@cache
def _empty_database() -> bytes:
    engine = create_engine("sqlite://")
    Row.metadata.create_all(engine)
    raw: Any = engine.raw_connection().driver_connection
    return raw.serialize()
