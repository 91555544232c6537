"""Once: what a request with an Idempotency-Key makes, however often the request comes."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from app.domain.errors import LuthierError
from app.domain.idempotency import Idempotency
from app.services.created import Created
from app.storage import idempotency
from app.storage.database import Database
from app.storage.idempotency import KeyTaken

Answer = TypeVar("Answer", bound=msgspec.Struct)


async def once(
    database: Database,
    key: Idempotency | None,
    kind: type[Answer],
    make: Callable[[], Awaitable[Created[Answer]]],
) -> Created[Answer]:
    """The first answer for the key, or what is made now.

    `make` keeps its answer for the key, in the transaction that stores what it made where there
    is one. Raises `IdempotencyKeyReused` where the key came with another body.
    """
    first = await first_answer(database, key, kind)
    if first is not None:
        return first
    try:
        return await make()
    except (KeyTaken, LuthierError):
        # The same request may have been faster, and what it changed be what is refused here.
        first = await first_answer(database, key, kind)
        if first is None:
            raise
        return first


async def once_after(
    database: Database,
    key: Idempotency | None,
    kind: type[Answer],
    make: Callable[[], Awaitable[Created[Answer]]],
) -> Created[Answer]:
    """`once` for what is the same when it is made again, and so may be stored before its answer."""

    async def make_and_keep() -> Created[Answer]:
        created = await make()
        async with database.write() as connection:
            await idempotency.keep(connection, key, created.thing)
        return created

    return await once(database, key, kind, make_and_keep)


async def first_answer(
    database: Database, key: Idempotency | None, kind: type[Answer]
) -> Created[Answer] | None:
    """What the first request with this key was answered."""
    if key is None:
        return None
    async with database.read() as connection:
        answer = await idempotency.find(connection, key, kind)
    return None if answer is None else Created(answer, is_replay=True)
