"""`luthier` as an operator runs it: a process over a house's data, killed and started again."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import update

from app.bootstrap import House
from app.storage import leases, schema

ROOT = Path(__file__).parents[2]

WALL = ROOT / "tests" / "wall"

DEADLINE_SECONDS = 600.0
"""For whatever a test waits for; a machine that is busy takes its time."""


class Luthier:
    """One command at a time over the data of `house`; `providers` are its provider sections.

    What `settings` says, by the names of the environment, holds from the next start on.
    """

    def __init__(self, house: House, *, providers: dict[str, dict[str, Any]]) -> None:
        self.providers = providers
        self.settings: dict[str, str] = {}
        self._house = house
        self._log = house.settings.data_dir / "luthier.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process that was begun last still runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self, *command: str) -> None:
        """Begin, and wait for nothing: the process may be told to die on its way."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app", *(command or ("serve", "--port", "0"))),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._house.settings.data_dir,
                env=self.environment(),
            )

    async def ready(self) -> str:
        """The URL of the service, once it says that it can serve."""
        async with asyncio.timeout(DEADLINE_SECONDS), httpx.AsyncClient(trust_env=False) as client:
            while True:
                for url in self._listening():
                    with suppress(httpx.TransportError):
                        if (await client.get(f"{url}/readyz")).is_success:
                            return url
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """kill -9, as a kernel short of memory does it."""
        assert self._process is not None
        self._process.kill()
        await self.died()

    def send(self, signal: int) -> None:
        """A signal to the process that runs now."""
        assert self._process is not None
        self._process.send_signal(signal)

    async def died(self) -> None:
        """Return once the process was killed, by whomever, and its leases have run out."""
        assert await self.ended() == -9, self.log()
        async with self._house.database.write() as connection:
            # The half minute that nobody waits for on SQLite, where the next process is alone.
            for row in schema.leased_rows():
                await connection.execute(
                    update(row)
                    .where(row.lease_owner.is_not(None))
                    .values(next_at=row.next_at - int(leases.LEASE_SECONDS * 1000))
                )

    async def ended(self) -> int:
        """The exit status, once there is one."""
        assert self._process is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self._process.wait()

    async def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def log(self) -> str:
        """What all processes printed until now."""
        return self._log.read_text()

    def environment(self) -> dict[str, str]:
        """What tells a process where the data is and which providers there are."""
        settings = self._house.settings
        opened = [str(network) for network in settings.allow_private_addresses]
        secret = settings.secret_key
        return os.environ | {
            "PYTHONPATH": os.pathsep.join(
                str(place) for place in (WALL, ROOT, ROOT / "tests" / "simulated")
            ),
            "HF_HUB_OFFLINE": "1",
            "LUTHIER_CONFIG": str(settings.data_dir / "luthier.toml"),
            "LUTHIER_DATA_DIR": str(settings.data_dir),
            "LUTHIER_ALLOW_PRIVATE_ADDRESSES": json.dumps(opened),
            "LUTHIER_DATABASE_URL": settings.database_url or "",
            "LUTHIER_PROVIDERS": json.dumps(self.providers),
            **({"LUTHIER_SECRET_KEY": secret.get_secret_value()} if secret else {}),
            **self.settings,
        }

    def _listening(self) -> Iterator[str]:
        """Where the process listens by now; the kernel chose the port."""
        assert self._process is not None
        assert self._process.returncode is None, self.log()
        for socket in psutil.Process(self._process.pid).net_connections("tcp"):
            if socket.status == psutil.CONN_LISTEN:
                yield f"http://127.0.0.1:{socket.laddr.port}"
