"""The server of `luthier serve`: it is seen to leave before it goes, and cuts nobody off."""

import signal
import time
from socket import socket
from types import FrameType

import uvicorn

from app.services.bundle import Services


class Server(uvicorn.Server):
    """A server that is not ready for `grace` seconds before it takes no more connections.

    SIGTERM, as supervisors send it, begins the grace; a second one, or SIGINT from a terminal, ends
    it. Requests under way are answered in full, those that only wait for news at once.
    """

    def __init__(self, config: uvicorn.Config, services: Services, *, grace: float) -> None:
        super().__init__(config)
        self._services = services
        self._grace = grace
        self._leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the grace, or end it."""
        if sig == signal.SIGTERM:
            grace = self._grace if self._leaves_at is None else 0.0
            self._leaves_at = time.monotonic() + grace
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether the time has come; asked ten times a second."""
        if self._leaves_at is not None:
            self._services.health.drain()
            self.should_exit = self.should_exit or time.monotonic() >= self._leaves_at
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Take no more connections, and end when the last one is served."""
        self._services.health.drain()
        # Whoever is let go may come back at once, and is to find another replica.
        for server in self.servers:
            server.close()
        await self._services.watch.close()
        await super().shutdown(sockets)
