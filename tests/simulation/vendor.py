"""Vendors that exist in memory: they answer late, twice, wrongly, or not at all."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from app.domain.errors import Later, Never, RateLimited, YourTurn
from tests.simulation.clockwork import Clockwork
from tests.simulation.schedule import Kind, Schedule

REFUSED = "refused"
"""The code of a clear word, which ends an attempt whatever becomes of its training."""


TOKENS = 1_000_000
"""Of a whole training."""


@dataclass
class Training:
    """What was created and is paid; moments in seconds of the loop."""

    id: str
    key: str
    created_at: float
    listed_at: float
    seconds: float
    ends_at: float
    ends_as: str
    status: str = "running"
    left: float = 0.0
    """How many seconds of a paused training were left."""

    looks: int = 0
    billed: int = 0
    """Tokens, once it has ended; what failed is not billed."""

    def end(self, status: str, at: float, trained: float = 1.0) -> None:
        """Bill the share that was trained, to the cent."""
        self.status, self.ends_at = status, at
        self.billed = 0 if status == "failed" else int(trained * TOKENS / 100) * 100


@dataclass
class Vendor:
    """One account. `trouble` is the share of requests that go wrong, until it is set to 0."""

    loop: Clockwork
    schedule: Schedule
    chance: random.Random
    trouble: float
    hook: Callable[[str], Awaitable[bool]]
    """Sends the news of a training; whether they were taken."""

    trainings: dict[str, Training] = field(default_factory=dict[str, Training])
    trace: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    landing: int = 0
    """Creations that are still on their way."""

    told: int = 0
    """Webhooks that were taken."""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._telling: list[asyncio.Task[None]] = []

    async def ask(self, verb: str, what: str, act: Callable[[], Any], *, late: float = 0.0) -> Any:
        """What `act` gives, if the request and the answer both arrive; it may be old by then.

        A request that was sent is carried out, whatever becomes of the process that sent it.
        """
        fate = self._fate()
        self.trace.append((round(self.loop.seconds, 3), verb, what, fate))
        self._refuse(verb, fate)
        if fate == "lost request":
            await self._travel()
            raise ConnectionResetError(f"{verb} was never heard")
        seconds = late if fate == "late" else self.chance.uniform(0.0, 1.0)
        answer = self._carry_out(act, seconds)
        if fate == "late":
            await asyncio.Event().wait()
        result = await answer
        await self._travel()
        if fate == "lost answer":
            raise ConnectionResetError(f"the answer to {verb} was lost")
        return result

    def create(self, key: str) -> Training:
        """Begin a training; by an exact key only where there is none of it."""
        number = next(self._numbers)
        exact = self.schedule.kind is Kind.EXACT
        id = f"exact-{key}" if exact else f"found-{number}"
        if id in self.trainings:
            return self.trainings[id]
        now, seconds = self.loop.seconds, self._duration()
        created = Training(
            id=id,
            key=key,
            created_at=now,
            listed_at=now + self.chance.uniform(0.0, self.schedule.lag_seconds),
            seconds=seconds,
            ends_at=now + seconds,
            ends_as="failed" if self.chance.random() < 0.15 else "succeeded",
        )
        self.trainings[id] = created
        self._tell_of_end(created)
        return created

    def find(self, key: str) -> Training | None:
        """The oldest that is listed by now."""
        return next((one for one in self.listed() if one.key == key), None)

    def listed(self) -> list[Training]:
        """What a list shows now."""
        exact = self.schedule.kind is Kind.EXACT
        now = self.loop.seconds
        return [one for one in map(self.look, self.trainings) if exact or one.listed_at <= now]

    def look(self, id: str) -> Training:
        """The training as it is now."""
        training = self.trainings[id]
        if training.status == "running" and self.loop.seconds >= training.ends_at:
            training.end(training.ends_as, training.ends_at)
        return training

    def cancel(self, id: str) -> None:
        """End it after a while."""
        training = self.look(id)
        if training.status in ("running", "paused"):
            is_held = training.status == "paused"
            left = training.left if is_held else training.ends_at - self.loop.seconds
            training.status = "cancelling"
            trained = 1.0 - left / training.seconds
            self._later(lambda: self._cancelled(training, trained))

    def pause(self, id: str) -> None:
        """Hold it after a while."""
        training = self.look(id)
        if training.status == "running":
            training.status, training.left = "pausing", training.ends_at - self.loop.seconds
            self._later(lambda: self._hold(training))

    def resume(self, id: str) -> None:
        """Let it go on."""
        training = self.look(id)
        if training.status == "paused":
            training.status, training.ends_at = "running", self.loop.seconds + training.left
            self._tell_of_end(training)

    def _duration(self) -> float:
        """Seconds; what may be there twice goes on for long enough to be found."""
        if self.schedule.settles:
            return self.chance.uniform(10.0, 120.0)
        return self.chance.uniform(300.0, 600.0)

    def _cancelled(self, training: Training, trained: float) -> None:
        training.end("cancelled", self.loop.seconds, trained)
        self._tell(training)

    def _hold(self, training: Training) -> None:
        if training.status == "pausing":
            training.status = "paused"
            self._tell(training)

    def _tell_of_end(self, training: Training) -> None:
        """Of its last step, and soon afterwards of its end, unless something comes in between."""
        ends_at = training.ends_at

        def tell(status: str) -> None:
            if self.look(training.id).status == status and training.ends_at == ends_at:
                self._tell(training)

        if self.schedule.tells:
            seconds, last_step = ends_at - self.loop.seconds, self.chance.uniform(0.0, 4.0)
            context = self.loop.world.context()
            self.loop.call_later(seconds - last_step, tell, "running", context=context)
            self.loop.call_later(seconds, tell, training.ends_as, context=context)

    def _tell(self, training: Training) -> None:
        """Send the news, again and again until they are taken."""

        async def tell() -> None:
            if self.chance.random() >= self.trouble and await self.hook(training.id):
                self.told += 1
            else:
                await asyncio.sleep(self.chance.uniform(1.0, 30.0))
                await tell()

        if self.schedule.tells:
            telling = self.loop.create_task(tell(), context=self.loop.world.context())
            self._telling.append(telling)

    def _later(self, act: Callable[[], None]) -> None:
        seconds = self.chance.uniform(0.0, 10.0)
        self.loop.call_at(self.loop.time() + seconds, act, context=self.loop.world.context())

    def _carry_out(self, act: Callable[[], Any], seconds: float) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = self.loop.create_future()
        self.landing += 1

        def arrive() -> None:
            self.landing -= 1
            result = act()
            if not answer.done():
                answer.set_result(result)

        self.loop.call_later(seconds, arrive, context=self.loop.world.context())
        return answer

    async def _travel(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, 1.0))

    def _fate(self) -> str:
        if self.chance.random() >= self.trouble:
            return "fine"
        if not self.schedule.settles and self.chance.random() < 0.5:
            return "late"
        return self.chance.choice(
            (
                "limit",
                "later",
                "refusal",
                "lost request",
                "lost answer",
                "lost answer",
                "late",
                "lie",
            )
        )

    def _refuse(self, verb: str, fate: str) -> None:
        if fate == "limit":
            raise RateLimited("Too many requests.", retry_after=self.chance.uniform(1.0, 20.0))
        if fate == "later":
            raise Later("Busy.", retry_after=self.chance.uniform(0.0, 20.0))
        if fate == "refusal" and verb == "submit":
            raise self.chance.choice((
                Never("It refuses.", code=REFUSED), YourTurn("Pay first.")
            ))  # fmt: skip
        if fate == "refusal" and verb != "observe":
            raise Never("It refuses.", code=REFUSED)
