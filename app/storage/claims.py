"""One working process on an embedded database, and saying so to the second."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.storage.database import Database


class AnotherWorker(Exception):
    """A second process wants to work on an embedded database."""


@contextmanager
def only_worker(database: Database, data_dir: Path) -> Generator[bool]:
    """Hold the embedded database's place for one worker; yields False where many may work.

    The place is given back by the kernel, however the process ends. Raises `AnotherWorker`.
    """
    if not database.is_embedded:
        yield False
        return
    path = data_dir / "worker.lock"
    with path.open("a") as place:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherWorker(
                f"Another process works on {data_dir}. SQLite serves one; for more set "
                "LUTHIER_DATABASE_URL to a PostgreSQL database."
            ) from error
        yield True
