"""The loop around the chores, with the only sleep: work while work is due, then wait for a hint."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from structlog.contextvars import bound_contextvars

from app.domain.errors import DatabaseUnavailable
from app.domain.provider import Deploying
from app.reconciler import (
    compare,
    deliver,
    deploy,
    evaluate,
    observe,
    radar,
    refresh,
    report,
    steer,
    submit,
    sweep,
    work,
)
from app.reconciler.deliver import Deliveries
from app.reconciler.work import Workshop
from app.storage import queues
from app.storage.signals import WORK_DUE
from app.storage.tenancy import as_service
from app.telemetry import counts

log = structlog.get_logger()

UNUSED_SECONDS = 30.0
"""How long nobody looks at a provider that is not set up: no job of it is created here."""

TROUBLE_SECONDS = 5.0
"""How long to wait after a tick that broke, so that a broken database is not hammered."""

DRAIN_SECONDS = 15.0
"""How long an orderly end waits for ticks under way; what is cut off is found again by lease."""

SWEEP_SECONDS = 60.0
"""How often what carries our keys at a provider is compared with what is known here."""

REFRESH_SECONDS = 600.0
"""How often it is looked whether a vendor's list of models has become too old."""

HOUR_SECONDS = 3600.0
"""How often the ends of models are looked at, which come by the day, and old deliveries go."""

Tick = Callable[[], Awaitable[int]]
Chore = Callable[[Workshop, str], Awaitable[int]]


class Reconciler:
    """A loop for each provider, so that a slow one holds up no other, and for other long work.

    `idle_seconds`: how long nobody looks when nothing was due and no hint comes.
    """

    def __init__(
        self,
        shop: Workshop,
        *,
        idle_seconds: float,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._shop = shop
        self._deliveries = deliveries
        self._idle_seconds = idle_seconds
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`, for all projects."""
        with as_service():
            await self._run()

    def stop(self) -> None:
        """Begin no new tick."""
        self._stopping.set()
        self._shop.signals.send(WORK_DUE)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as loops:
            for name in self._shop.providers:
                counts.begin(name)
                loops.create_task(self._serve(name))
                sweeps = partial(sweep.tick, self._shop, name)
                loops.create_task(self._after(SWEEP_SECONDS, sweeps, f"sweep of {name}"))
                asks = partial(_unless_held_back, refresh.tick, self._shop, name)
                loops.create_task(self._after(REFRESH_SECONDS, asks, f"models of {name}"))
                if isinstance(self._shop.providers[name], Deploying):
                    deploys = partial(_unless_held_back, deploy.tick, self._shop, name)
                    loops.create_task(self._loop([deploys], f"deployments of {name}"))
            loops.create_task(self._loop([lambda: evaluate.tick(self._shop)], "evaluations"))
            loops.create_task(self._loop([lambda: compare.tick(self._shop)], "comparisons"))
            loops.create_task(self._loop([lambda: report.tick(self._shop)], "reports"))
            loops.create_task(self._hourly(lambda: radar.tick(self._shop), "radar"))
            if self._deliveries is not None:
                loops.create_task(self._hourly(self._deliveries.tidy, "old webhooks"))
                for _ in range(deliver.LINES):
                    loops.create_task(self._loop([self._deliveries.tick], "webhooks"))

    async def _serve(self, name: str) -> None:
        """One provider's jobs; the chores are left alone where a glance shows them nothing."""
        is_used = not self._shop.providers[name].missing
        idle = self._idle_seconds if is_used else max(self._idle_seconds, UNUSED_SECONDS)
        ticks = _for_provider(self._shop, name)
        with self._shop.signals.listening(WORK_DUE) as hint:
            while not self._stopping.is_set():
                hint.clear()
                worked = await self._in_turn(ticks, name) if await self._is_any_due(name) else 0
                if not worked and not self._stopping.is_set():
                    await _first(hint, idle)

    async def _is_any_due(self, name: str) -> bool:
        try:
            async with self._shop.database.read() as connection:
                return await queues.is_any_due(connection, name)
        except DatabaseUnavailable:
            # So do the chores find, and they tell it and wait.
            return True

    async def _loop(self, ticks: list[Tick], name: str) -> None:
        with self._shop.signals.listening(WORK_DUE) as hint:
            while not self._stopping.is_set():
                hint.clear()
                worked = await self._in_turn(ticks, name)
                if not worked and not self._stopping.is_set():
                    await _first(hint, self._idle_seconds)

    async def _in_turn(self, ticks: list[Tick], name: str) -> int:
        return sum([await self._guarded(tick, name) for tick in ticks])

    async def _after(self, seconds: float, tick: Tick, name: str) -> None:
        """Tick whenever so many seconds have passed, and not before."""
        while not self._stopping.is_set():
            await _first(self._stopping, seconds)
            if not self._stopping.is_set():
                await self._guarded(tick, name)

    async def _hourly(self, tick: Tick, name: str) -> None:
        while not self._stopping.is_set():
            await self._guarded(tick, name)
            await _first(self._stopping, HOUR_SECONDS)

    async def _guarded(self, tick: Tick, name: str) -> int:
        """A tick that breaks costs a pause and a line in the log, never the loop."""
        started = time.perf_counter()
        try:
            with bound_contextvars(loop=name):
                handled = await tick()
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", loop=name, problem=error.detail)
        except Exception:
            log.exception("tick_broke", loop=name)
        else:
            counts.HANDLED.labels(name).inc(handled)
            return handled
        finally:
            counts.TICKS.labels(name).observe(time.perf_counter() - started)
        counts.TICKS_BROKEN.labels(name).inc()
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
