"""Vendors that exist in memory: they answer late, twice, wrongly, or not at all."""

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, Price, PriceUnit
from app.domain.errors import Later, Never, RateLimited, YourTurn
from app.domain.jobs import Checkpoint, JobError, MetricPoint, Progress, Remote
from app.domain.provider import (
    Artifact,
    Observation,
    ProviderSpec,
    RemoteState,
    Submitted,
    TrainingPlan,
)
from tests.simulated.simulated_provider import SimulatedOptions, SimulatedProvider
from tests.simulation.clockwork import Clockwork
from tests.simulation.schedule import SETTLE_SECONDS, Kind, Schedule

REFUSED = "refused"
"""The code of a clear word, which ends an attempt whatever becomes of its training."""


TOKENS = 1_000_000
"""Of a whole training."""

PRICE = Price(
    unit=PriceUnit.TRAINING_TOKENS, usd=Decimal(100), source="simulated", as_of=date(2026, 1, 1)
)

BASE_MODEL = BaseModel(name="sim-base", methods=["sft"], prices=[PRICE])


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
    trainings: dict[str, Training] = field(default_factory=dict[str, Training])
    trace: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    landing: int = 0
    """Creations that are still on their way."""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    async def ask(self, verb: str, what: str, act: Callable[[], Any], *, late: float = 0.0) -> Any:
        """What `act` gives, if the request and the answer both arrive.

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
            self._later(lambda: training.end("cancelled", self.loop.seconds, trained))

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

    def _duration(self) -> float:
        """Seconds; what may be there twice goes on for long enough to be found."""
        if self.schedule.settles:
            return self.chance.uniform(10.0, 120.0)
        return self.chance.uniform(300.0, 600.0)

    def _hold(self, training: Training) -> None:
        if training.status == "pausing":
            training.status = "paused"

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


class Client(SimulatedProvider):
    """The vendor at the provider port, for one process; `asked` is told of every request."""

    def __init__(self, vendor: Vendor, folder: Path, asked: Callable[[], None]) -> None:
        super().__init__(SimulatedOptions(folder=folder))
        self._vendor = vendor
        self._asked = asked

    @property
    def spec(self) -> ProviderSpec:
        exact = self._vendor.schedule.kind is Kind.EXACT
        return msgspec.structs.replace(
            super().spec,
            settle_seconds=0.0 if exact else SETTLE_SECONDS,
            create_timeout_seconds=30.0,
        )

    def base_model(self, name: str) -> BaseModel:
        return BASE_MODEL

    async def submit(self, plan: TrainingPlan) -> Remote:
        vendor, late = self._vendor, 30.0 + self._vendor.schedule.landing_seconds
        created = await self._ask("submit", plan.key, lambda: vendor.create(plan.key), late=late)
        return Remote(created.id, "running")

    async def find(self, key: str) -> Remote | None:
        found = await self._ask("find", key, lambda: self._vendor.find(key))
        return None if found is None else Remote(found.id, found.status)

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        vendor, before = self._vendor, len(self._vendor.trace)
        training = await self._ask("observe", remote.id, lambda: vendor.look(remote.id))
        if vendor.trace[before][-1] in ("lie", "refusal"):
            return _lie(vendor.chance, remote)
        training.looks += 1
        return _observation(training)

    async def cancel(self, remote: Remote) -> None:
        await self._ask("cancel", remote.id, lambda: self._vendor.cancel(remote.id))

    async def pause(self, remote: Remote) -> None:
        await self._ask("pause", remote.id, lambda: self._vendor.pause(remote.id))

    async def resume(self, remote: Remote) -> None:
        await self._ask("resume", remote.id, lambda: self._vendor.resume(remote.id))

    async def submitted(self, since: int) -> Sequence[Submitted]:
        found = await self._ask("submitted", "", self._vendor.listed)
        return [
            Submitted(key=one.key, remote=Remote(one.id, one.status), state=RemoteState(one.status))
            for one in found
        ]

    async def probe(self, artifact: Artifact) -> None:
        await self._ask("probe", artifact.handle, lambda: None)

    async def _ask(self, verb: str, what: str, act: Callable[[], Any], **options: float) -> Any:
        self._asked()
        return await self._vendor.ask(verb, what, act, **options)


def _lie(chance: random.Random, remote: Remote) -> Observation:
    """An answer that nobody expects, which is not about the end of the training."""
    what = chance.choice(("garbage", "unwritable", "unknown", "before"))
    if what == "garbage":
        raise ValueError("that is no JSON")
    state = RemoteState.UNKNOWN if what == "unknown" else RemoteState.PENDING
    saved = [Checkpoint(step=2**80, name="too far")] if what == "unwritable" else []
    status = Remote(remote.id, f"odd {chance.randrange(3)}")
    return Observation(state=state, remote=status, look_again_in=5.0, checkpoints=saved)


def _observation(training: Training) -> Observation:
    failed = training.status == "failed"
    done = training.status == "succeeded"
    tokens = training.billed or None
    return Observation(
        state=RemoteState(training.status),
        remote=Remote(training.id, training.status),
        look_again_in=15.0,
        progress=Progress(percent=100.0 if done else 50.0, step=training.looks),
        metrics=[MetricPoint(training.looks, {"loss": 1.0})],
        artifact=Artifact(f"tuned-{training.id}", "remote", trained_tokens=tokens)
        if done
        else None,
        trained_tokens=tokens,
        error=JobError("vendor_failed", "It failed.") if failed else None,
    )
