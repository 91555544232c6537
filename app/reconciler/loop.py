"""The loop around the chores, with the only sleep: work while work is due, then wait for a hint."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from app.domain.errors import DatabaseUnavailable
from app.domain.provider import Deploying
from app.reconciler import deploy, evaluate, observe, radar, report, steer, submit, sweep, work
from app.reconciler.work import Workshop
from app.storage.signals import WORK_DUE

log = structlog.get_logger()

IDLE_SECONDS = 0.5
"""How long nobody looks when nothing was due and no hint comes."""

TROUBLE_SECONDS = 5.0
"""How long to wait after a tick that broke, so that a broken database is not hammered."""

DRAIN_SECONDS = 15.0
"""How long an orderly end waits for ticks under way; what is cut off is found again by lease."""

SWEEP_SECONDS = 60.0
"""How often what carries our keys at a provider is compared with what is known here."""

RADAR_SECONDS = 3600.0
"""How often the ends of models are looked at; they come by the day."""

Tick = Callable[[], Awaitable[int]]
Chore = Callable[[Workshop, str], Awaitable[int]]


class Reconciler:
    """A loop for each provider, so that a slow one holds up no other, and for other long work."""

    def __init__(self, shop: Workshop, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._shop = shop
        self._idle_seconds = idle_seconds
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as loops:
            for name in self._shop.providers:
                loops.create_task(self._loop(_for_provider(self._shop, name), name))
                loops.create_task(self._sweep(name))
                if isinstance(self._shop.providers[name], Deploying):
                    deploys = partial(_unless_held_back, deploy.tick, self._shop, name)
                    loops.create_task(self._loop([deploys], f"deployments of {name}"))
            loops.create_task(self._loop([lambda: evaluate.tick(self._shop)], "evaluations"))
            loops.create_task(self._loop([lambda: report.tick(self._shop)], "reports"))
            loops.create_task(self._watch_ends())

    def stop(self) -> None:
        """Begin no new tick."""
        self._stopping.set()
        self._shop.signals.send(WORK_DUE)

    async def _loop(self, ticks: list[Tick], name: str) -> None:
        with self._shop.signals.listening(WORK_DUE) as hint:
            while not self._stopping.is_set():
                hint.clear()
                worked = 0
                for tick in ticks:
                    worked += await self._guarded(tick, name)
                if not worked and not self._stopping.is_set():
                    await _first(hint, self._idle_seconds)

    async def _sweep(self, name: str) -> None:
        while not self._stopping.is_set():
            await _first(self._stopping, SWEEP_SECONDS)
            if not self._stopping.is_set():
                await self._guarded(lambda: sweep.tick(self._shop, name), f"sweep of {name}")

    async def _watch_ends(self) -> None:
        while not self._stopping.is_set():
            await self._guarded(lambda: radar.tick(self._shop), "radar")
            await _first(self._stopping, RADAR_SECONDS)

    async def _guarded(self, tick: Tick, name: str) -> int:
        """A tick that breaks costs a pause and a line in the log, never the loop."""
        try:
            return await tick()
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", loop=name, problem=error.detail)
        except Exception:
            log.exception("tick_broke", loop=name)
        await _first(self._stopping, TROUBLE_SECONDS)
        return 0


def _for_provider(shop: Workshop, name: str) -> list[Tick]:
    chores = (steer.tick, submit.tick, observe.tick)
    return [partial(_unless_held_back, chore, shop, name) for chore in chores]


async def _unless_held_back(chore: Chore, shop: Workshop, name: str) -> int:
    """A provider that wanted fewer requests is left alone, whichever replica it told so."""
    return 0 if await work.is_held_back(shop, name) else await chore(shop, name)


async def _first(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
