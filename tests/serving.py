"""The service inside a test's own process, spoken to through its ASGI interface."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from app.bootstrap import House
from app.main import create_app


@asynccontextmanager
async def api(house: House, *, reconcile: bool) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the service while it is open."""
    app = create_app(house, reconcile=reconcile)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client
