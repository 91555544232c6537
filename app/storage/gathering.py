"""Reads of single rows that come at the same time, answered by one query."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

LINGER_SECONDS = 0.002
"""What the next query waits for company where the last one had some; alone nobody waits."""


class Gathering(Generic[Thing]):
    """Everybody who asks while a query runs is served by the next one.

    Nobody sees an older state than alone: a read is part of a query that begins after it came.
    """

    def __init__(self, fetch: Callable[[Sequence[str]], Awaitable[Mapping[str, Thing]]]) -> None:
        self._fetch = fetch
        self._waiting: dict[str, asyncio.Future[Thing | None]] = {}
        self._serving: asyncio.Task[None] | None = None

    async def get(self, id: str) -> Thing | None:
        """The thing of that id, or None; raises what the query raised."""
        answer = self._waiting.get(id)
        if answer is None:
            answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        return await asyncio.shield(answer)

    async def _serve(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await self._answer(waiting)
                if len(waiting) > 1:
                    await asyncio.sleep(LINGER_SECONDS)
        finally:
            self._serving = None

    async def _answer(self, waiting: Mapping[str, "asyncio.Future[Thing | None]"]) -> None:
        try:
            found = await self._fetch(list(waiting))
        except Exception as error:  # noqa: BLE001 - each of those who wait gets it
            for answer in waiting.values():
                answer.set_exception(error)
            return
        for id, answer in waiting.items():
            answer.set_result(found.get(id))
