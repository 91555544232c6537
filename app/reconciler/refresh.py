"""The refresh chore: ask a vendor once a day which models it has."""

import asyncio

from app.domain.errors import Steer
from app.domain.offers import listing
from app.domain.provider import Listing
from app.reconciler import work
from app.reconciler.work import Workshop
from app.storage import vendor_lists
from app.storage.vendor_lists import ListTaken
from app.telemetry.calls import vendor_call

TIMEOUT_SECONDS = 25.0
"""Less than a lease."""


async def tick(shop: Workshop, name: str) -> int:
    """Ask where the list that is kept is a day old; whether one was seen."""
    source = listing(shop.providers[name])
    if source is None or shop.providers[name].missing:
        return 0
    epoch = await _claim(shop, name)
    return 0 if epoch is None else await _refresh(shop, name, source, epoch)


async def _claim(shop: Workshop, name: str) -> int | None:
    try:
        async with shop.database.write() as connection:
            return await vendor_lists.claim(connection, name, owner=shop.owner)
    except ListTaken:
        return None


async def _refresh(shop: Workshop, name: str, source: Listing, epoch: int) -> int:
    try:
        with vendor_call(name, "list_models"):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                models = await source.list_models()
    except Exception as error:  # noqa: BLE001 - the list that is kept stays, whatever it was
        if isinstance(error, Steer):
            await work.heed(shop, name, error)
        problem = str(error) or type(error).__name__
        work.log.warning("list_unseen", provider=name, problem=problem)
        async with shop.database.write() as connection:
            await vendor_lists.note_problem(connection, name, problem, epoch=epoch)
        return 0
    async with shop.database.write() as connection:
        await vendor_lists.keep(connection, name, models, epoch=epoch)
    return 1
