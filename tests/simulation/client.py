"""The provider port before a vendor that exists in memory."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, Price, PriceUnit
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
from tests.simulation.schedule import SETTLE_SECONDS, Kind
from tests.simulation.vendor import Training, Vendor

PRICE = Price(
    unit=PriceUnit.TRAINING_TOKENS, usd=Decimal(100), source="simulated", as_of=date(2026, 1, 1)
)

BASE_MODEL = BaseModel(name="sim-base", methods=["sft"], prices=[PRICE])

OFTEN = 15.0

SELDOM = 24 * 3600.0
"""Longer than any simulation: news that were taken and forgotten leave their job open."""


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
        def find() -> Remote | None:
            found = self._vendor.find(key)
            return None if found is None else Remote(found.id, found.status)

        return await self._ask("find", key, find)

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        vendor, before = self._vendor, len(self._vendor.trace)
        look_again_in = SELDOM if vendor.schedule.tells else OFTEN
        seen = await self._ask(
            "observe", remote.id, lambda: _observation(vendor.look(remote.id), look_again_in)
        )
        if vendor.trace[before][-1] in ("lie", "refusal"):
            return _lie(vendor.chance, remote)
        return seen

    def webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The message is the training's id."""
        return body.decode()

    async def cancel(self, remote: Remote) -> None:
        await self._ask("cancel", remote.id, lambda: self._vendor.cancel(remote.id))

    async def pause(self, remote: Remote) -> None:
        await self._ask("pause", remote.id, lambda: self._vendor.pause(remote.id))

    async def resume(self, remote: Remote) -> None:
        await self._ask("resume", remote.id, lambda: self._vendor.resume(remote.id))

    async def submitted(self, since: int) -> Sequence[Submitted]:
        def submitted() -> list[Submitted]:
            return [
                Submitted(
                    key=one.key,
                    remote=Remote(one.id, one.status),
                    state=RemoteState(one.status),
                )
                for one in self._vendor.listed()
            ]

        return await self._ask("submitted", "", submitted)

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


def _observation(training: Training, look_again_in: float) -> Observation:
    training.looks += 1
    failed = training.status == "failed"
    done = training.status == "succeeded"
    tokens = training.billed or None
    return Observation(
        state=RemoteState(training.status),
        remote=Remote(training.id, training.status),
        look_again_in=look_again_in,
        progress=Progress(percent=100.0 if done else 50.0, step=training.looks),
        metrics=[MetricPoint(training.looks, {"loss": 1.0})],
        artifact=Artifact(f"tuned-{training.id}", "remote", trained_tokens=tokens)
        if done
        else None,
        trained_tokens=tokens,
        error=JobError("vendor_failed", "It failed.") if failed else None,
    )
