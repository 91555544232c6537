"""One process's time at work, from finding the leases of the dead to giving back its own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from app.domain.errors import DatabaseUnavailable
from app.reconciler.loop import DRAIN_SECONDS, Reconciler
from app.reconciler.work import Workshop
from app.storage import leases, schema

log = structlog.get_logger()


@asynccontextmanager
async def shift(
    shop: Workshop,
    reconciler: Reconciler,
    *,
    is_only: bool,
    until: Callable[[], Awaitable[None]],
) -> AsyncGenerator[None]:
    """The reconciler at work while the block lasts, or until `until` returns if that is earlier.

    In a process that is the `only` one to work, nobody has to wait for the end of a dead one's
    leases. At the end what is under way has `DRAIN_SECONDS`; the rest is anybody's at once.
    """
    if is_only:
        async with shop.database.write() as connection:
            for row in schema.leased_rows():
                await leases.release_all(connection, row)
    running = asyncio.create_task(reconciler.run())
    ending = asyncio.create_task(_end(shop, reconciler, running, until))
    try:
        yield
    finally:
        await ending


async def _end(
    shop: Workshop,
    reconciler: Reconciler,
    running: asyncio.Task[None],
    until: Callable[[], Awaitable[None]],
) -> None:
    await until()
    reconciler.stop()
    _, pending = await asyncio.wait({running}, timeout=DRAIN_SECONDS)
    for task in pending:
        task.cancel()
    await asyncio.gather(running, return_exceptions=True)
    try:
        async with shop.database.write() as connection:
            for row in schema.leased_rows():
                await leases.give_back(connection, row, owner=shop.owner)
    except DatabaseUnavailable as error:
        log.warning("leases_not_given_back", problem=error.detail)
