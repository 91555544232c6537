"""An event loop in which time is a number, and chance decides whose turn it is.

Work belongs to a `Process`, by the context in which it was begun. A process that is stopped gets no
turn: its coroutines stay where they wait, and no `finally` of theirs runs. Each process keeps the
order of its own work, as an event loop does; between processes the seed decides.
"""

import asyncio
import contextvars
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

Turn = tuple[asyncio.Handle, Callable[..., object], tuple[Any, ...], contextvars.Context]


@dataclass(eq=False)
class Process:
    """What can be stopped and killed as one; `skew` is in seconds, of its own clock."""

    name: str
    skew: float = 0.0
    is_stopped: bool = False
    steps: int = 0
    before_step: Callable[["Process"], None] | None = None
    """Called before each step; what stops the process there takes the step away."""

    turns: deque[Turn] = field(default_factory=deque[Turn])

    def context(self) -> contextvars.Context:
        """A context whose work belongs to this process."""
        context = contextvars.Context()
        context.run(_PROCESS.set, self)
        return context


_PROCESS: contextvars.ContextVar[Process] = contextvars.ContextVar("process")


class Stuck(Exception):
    """Nothing will ever happen again, and what was waited for has not."""


class Clockwork(asyncio.AbstractEventLoop):
    """The loop; `world` is the process of everything that cannot be killed."""

    def __init__(self) -> None:
        self.reset(random.Random(0))

    def reset(self, chance: random.Random) -> None:
        """Begin anew at time 0."""
        self.seconds = 0.0
        self.world = Process("world")
        self._chance = chance
        self._processes = [self.world]
        self._timers: list[tuple[float, int, Turn]] = []
        self._order = itertools.count()

    def add(self, process: Process) -> None:
        """Give a process its turns."""
        self._processes.append(process)

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run until `main`, which belongs to the world, has ended."""
        asyncio._set_running_loop(self)  # pyright: ignore[reportPrivateUsage] - for those who write loops
        try:
            task = self.create_task(main, context=self.world.context())
            while not task.done():
                self._step()
            return task.result()
        finally:
            asyncio._set_running_loop(None)  # pyright: ignore[reportPrivateUsage]

    def end_all(self) -> None:
        """Cancel whatever is left, stopped or not, and let it unwind."""
        for process in self._processes:
            process.before_step = None
            process.is_stopped = False

        async def unwind() -> None:
            this = asyncio.current_task()
            while left := [task for task in asyncio.all_tasks(self) if task is not this]:
                for task in left:
                    task.cancel()
                await asyncio.wait(left, timeout=1.0)

        self.run(unwind())

    def _step(self) -> None:
        ready = [one for one in self._processes if one.turns and not one.is_stopped]
        if not ready:
            self._next_moment()
            return
        process = ready[0] if len(ready) == 1 else self._chance.choice(ready)
        process.steps += 1
        if process.before_step is not None:
            process.before_step(process)
            if process.is_stopped:
                return
        handle, callback, args, context = process.turns.popleft()
        if not handle.cancelled():
            context.run(callback, *args)

    def _next_moment(self) -> None:
        if not self._timers:
            raise Stuck
        when, _, turn = heapq.heappop(self._timers)
        if turn[0].cancelled():
            return
        self.seconds = max(self.seconds, when)
        self._process(turn[3]).turns.append(turn)

    def _process(self, context: contextvars.Context) -> Process:
        return context.get(_PROCESS, self.world)

    # What asyncio asks of a loop.

    def time(self) -> float:
        """The monotonic clock of whoever asks; clocks of two processes have nothing in common."""
        return self.seconds + _PROCESS.get(self.world).skew

    def call_soon(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        context = context or contextvars.copy_context()
        handle = asyncio.Handle(callback, args, self, context)
        self._process(context).turns.append((handle, callback, args, context))
        return handle

    call_soon_threadsafe = call_soon

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        seconds = when - _PROCESS.get(self.world).skew
        context = context or contextvars.copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        turn = (handle, callback, args, context)
        heapq.heappush(self._timers, (seconds, next(self._order), turn))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        return asyncio.Task(coro, loop=self, **options)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Threads would bring chance of their own: the work is done at once."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is the caller's, as from any executor
            done.set_exception(error)
        return done

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody waited for is a failure of nobody."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""
