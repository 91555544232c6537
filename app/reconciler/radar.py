"""The radar chore: tell ahead of time which models will be trained or served no more."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.access import DEFAULT_PROJECT
from app.domain.jobs import day_of
from app.domain.lifecycle import Ahead, Ends, ahead, ends_of
from app.domain.offers import VendorList, offers
from app.reconciler.work import Workshop
from app.storage import aliases, models, notices, tenancy, vendor_lists

BATCH = 200
"""Models that are told of in one transaction."""


class Subject(msgspec.Struct, frozen=True):
    """What is told of, what names it in the key of what was told, and whose it is."""

    name: str
    key: str
    project_id: str


async def tick(shop: Workshop) -> int:
    """Look at the end of every model that is used here; how many were told of."""
    today = day_of(await shop.database.now())
    async with shop.database.read() as connection:
        lists = await vendor_lists.find_all(connection)
    ends = await asyncio.to_thread(_all_ends, shop, lists)
    told = 0
    for place, days in ends.items():
        for warning in ahead(days, today):
            told += await _tell(shop, place, warning)
    return told


def _all_ends(shop: Workshop, lists: Mapping[str, VendorList]) -> Mapping[tuple[str, str], Ends]:
    """The days of every base model that has one, by provider and name."""
    known = {
        (name, base.name): ends_of(base)
        for name, provider in shop.providers.items()
        for base in offers(provider, lists.get(name, VendorList()))
    }
    return {place: ends for place, ends in known.items() if ends != Ends()}


async def _tell(shop: Workshop, place: tuple[str, str], warning: Ahead) -> int:
    """Tell of each model of one base, once for each end, day and threshold."""
    provider, base_model = place
    told, after = await _tell_of_base(shop, place, warning), ""
    while True:
        async with shop.database.write() as connection:
            owners = await models.owners_of(
                connection, provider=provider, base_model=base_model, after=after, limit=BATCH
            )
            subjects = [Subject(id_, id_, project) for id_, project in owners.items()]
            told += await _add(connection, subjects, place, warning)
        if not owners:
            return told
        after = subjects[-1].name


async def _tell_of_base(shop: Workshop, place: tuple[str, str], warning: Ahead) -> int:
    """A base model itself is told of where an alias points to it."""
    name = "/".join(place)
    async with shop.database.write() as connection:
        projects = await aliases.projects_using_base(connection, name)
        subjects = [Subject(name, _in_project(name, project), project) for project in projects]
        return await _add(connection, subjects, place, warning)


async def _add(
    connection: AsyncConnection,
    subjects: Sequence[Subject],
    place: tuple[str, str],
    warning: Ahead,
) -> int:
    keys = {_key(subject, warning): subject for subject in subjects}
    known = await notices.told_keys(connection, list(keys))
    data = _data(*place, warning)
    told = 0
    for key, subject in keys.items():
        if key not in known:
            with tenancy.working_for(tenancy.Tenant(subject.project_id)):
                told += await notices.add(connection, warning.type, subject.name, data, key=key)
    return told


def _in_project(name: str, project_id: str) -> str:
    """A base model's name as a key; as it was before there were projects in the first one."""
    return name if project_id == DEFAULT_PROJECT else f"{project_id}:{name}"


def _key(subject: Subject, warning: Ahead) -> str:
    return f"{warning.type}:{subject.key}:{_day(warning.ends_at)}:{warning.threshold}"


def _data(provider: str, base_model: str, warning: Ahead) -> dict[str, Any]:
    return {
        "provider": provider,
        "base_model": base_model,
        "ends_at": _day(warning.ends_at),
        "days_left": warning.days_left,
    }


def _day(day: date) -> str:
    return day.isoformat()
