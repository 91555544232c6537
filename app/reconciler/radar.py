"""The radar chore: tell ahead of time which models will be trained or served no more."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.jobs import day_of
from app.domain.lifecycle import Ahead, Ends, ahead, ends_of
from app.reconciler.work import Workshop
from app.storage import aliases, models, notices

BATCH = 200
"""Models that are told of in one transaction."""


async def tick(shop: Workshop) -> int:
    """Look at the end of every model that is used here; how many were told of."""
    today = day_of(await shop.database.now())
    ends = await asyncio.to_thread(_all_ends, shop)
    told = 0
    for place, days in ends.items():
        for warning in ahead(days, today):
            told += await _tell(shop, place, warning)
    return told


def _all_ends(shop: Workshop) -> Mapping[tuple[str, str], Ends]:
    """The days of every base model that has one, by provider and name."""
    known = {
        (name, base.name): ends_of(base)
        for name, provider in shop.providers.items()
        for base in provider.base_models()
    }
    return {place: ends for place, ends in known.items() if ends != Ends()}


async def _tell(shop: Workshop, place: tuple[str, str], warning: Ahead) -> int:
    """Tell of each model of one base, once for each end, day and threshold."""
    provider, base_model = place
    told, after = await _tell_of_base(shop, place, warning), ""
    while True:
        async with shop.database.write() as connection:
            found = await models.ids_of(
                connection, provider=provider, base_model=base_model, after=after, limit=BATCH
            )
            told += await _add(connection, found, place, warning)
        if not found:
            return told
        after = found[-1]


async def _tell_of_base(shop: Workshop, place: tuple[str, str], warning: Ahead) -> int:
    """A base model itself is told of where an alias points to it."""
    name = "/".join(place)
    async with shop.database.write() as connection:
        is_used = await aliases.points_to_base(connection, name)
        return await _add(connection, [name] if is_used else [], place, warning)


async def _add(
    connection: AsyncConnection, subjects: Sequence[str], place: tuple[str, str], warning: Ahead
) -> int:
    keys = {_key(subject, warning): subject for subject in subjects}
    known = await notices.told_keys(connection, list(keys))
    data = _data(*place, warning)
    return sum(
        [
            await notices.add(connection, warning.type, subject, data, key=key)
            for key, subject in keys.items()
            if key not in known
        ]
    )


def _key(subject: str, warning: Ahead) -> str:
    return f"{warning.type}:{subject}:{_day(warning.ends_at)}:{warning.threshold}"


def _data(provider: str, base_model: str, warning: Ahead) -> dict[str, Any]:
    return {
        "provider": provider,
        "base_model": base_model,
        "ends_at": _day(warning.ends_at),
        "days_left": warning.days_left,
    }


def _day(day: date) -> str:
    return day.isoformat()
