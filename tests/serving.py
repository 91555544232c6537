"""The service inside a test's own process: through its ASGI interface, or on a loopback port."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn

from app import bootstrap
from app.bootstrap import House
from app.main import create_app
from tests.tenancy_guard import guarded


@asynccontextmanager
async def api(house: House, *, reconcile: bool) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the service while it is open."""
    app = create_app(house, reconcile=reconcile)
    transport = httpx.ASGITransport(guarded(app), raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


@contextmanager
def on_loopback(house: House) -> Generator[str]:
    """The URL of the service at work, for programs that speak HTTP themselves."""
    asyncio.run(bootstrap.prepare(house, reconcile=True))
    server = uvicorn.Server(uvicorn.Config(create_app(house, reconcile=True), log_config=None))
    # Whoever asks before the server has begun waits in the socket's backlog.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
