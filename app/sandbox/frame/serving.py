"""A simulator's server on loopback, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

import uvicorn
from starlette.types import ASGIApp

from app.sandbox.frame.connections import Connections

HOST = "127.0.0.1"
_Result = TypeVar("_Result")


class Server:
    """One app on one port, which it keeps when it is stopped and started again."""

    def __init__(
        self, app: ASGIApp, connections: Connections, tick: Callable[[], None], port: int
    ) -> None:
        self._app = app
        self._connections = connections
        self._tick = tick
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = port

    def start(self) -> None:
        """Serve in a thread; connections are taken once this returns."""
        listener = self._listen()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(listener, ready), name="simulator", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Break every connection and take no more."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._leave)
        self._thread.join()
        self._thread = self._loop = None

    def do(self, act: Callable[[], _Result]) -> _Result:
        """Act in the server's thread, where all state changes; here, where nothing is served."""
        if self._loop is None:
            return act()
        return asyncio.run_coroutine_threadsafe(_call(act), self._loop).result()

    def _listen(self) -> socket.socket:
        listener = socket.create_server((HOST, self.port))
        # asyncio leaves it out for a socket of this making: each answer would wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listener.getsockname()[1]
        return listener

    def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        config = uvicorn.Config(
            self._app,
            http="h11",  # the one protocol whose connections can be found and broken
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        server = _TickingServer(config, self._tick)
        self._connections.server = server
        asyncio.run(self._serve_with(server, listener, ready))

    async def _serve_with(
        self, server: uvicorn.Server, listener: socket.socket, ready: threading.Event
    ) -> None:
        self._loop = asyncio.get_running_loop()
        ready.set()
        await server.serve(sockets=[listener])

    def _leave(self) -> None:
        assert self._connections.server is not None
        self._connections.server.should_exit = True
        self._connections.server.force_exit = True
        self._connections.reset_all()


class _TickingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, tick: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_each_tick = tick

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second; what is due happens though nobody asks."""
        self._on_each_tick()
        return await super().on_tick(counter)


async def _call(act: Callable[[], _Result]) -> _Result:
    return act()
