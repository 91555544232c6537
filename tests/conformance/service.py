"""The whole service before a stage: its lives follow one another over the same data."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
from sqlalchemy import update

from app import bootstrap
from app.bootstrap import House
from app.domain.jobs import FINAL, Remote
from app.domain.provider import Provider, TrainingPlan
from app.reconciler import observe, steer, submit
from app.settings import Settings
from app.storage.base import database_now
from app.storage.jobs import JobRow
from tests.api.given import Json, created
from tests.conformance.stage import Stage, chats
from tests.reconciling import shop_of
from tests.serving import api


class Died(BaseException):
    """Where a process is killed: nothing that comes after is carried out."""


class Mortal:
    """A provider in a process that dies as it submits, before or after the vendor has acted."""

    def __init__(self, provider: Provider, *, after_effect: bool) -> None:
        self._provider = provider
        self._after_effect = after_effect

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    async def submit(self, plan: TrainingPlan) -> Remote:
        if self._after_effect:
            await self._provider.submit(plan)
        raise Died


@dataclass(frozen=True)
class Life:
    """One process from its start to its end; its chores are ticked, and time passes at will."""

    client: httpx.AsyncClient
    house: House
    stage: Stage

    @property
    def name(self) -> str:
        """The provider's."""
        return self.stage.provider.spec.kind

    async def create(self) -> Json:
        """A queued job on the examples of `chats()`."""
        examples = [msgspec.json.decode(line) for line in chats().lines]
        await self.client.post("/datasets", json={"name": "doubles", "examples": examples})
        order = {"provider": self.name, "base_model": self.stage.base_model, "dataset": "doubles"}
        method = {"type": "sft", "hyperparameters": {"epochs": 2}}
        return created(await self.client.post("/jobs", json=order | {"method": method}))

    async def tick(self, job: Json) -> Json:
        """The job after each chore has looked at it once more, at a time when it was due."""
        for chore in (submit, steer, observe):
            await self._let_time_pass()
            await chore.tick(shop_of(self.house), self.name)
        return await self.now(job)

    async def now(self, job: Json) -> Json:
        """The job as it is."""
        return (await self.client.get(f"/jobs/{job['id']}")).json()

    async def _let_time_pass(self) -> None:
        """What waits is due, leases have run out, and the vendor has long settled."""
        settle = int(self.stage.provider.spec.settle_seconds * 1000) + 1000
        async with self.house.database.write() as connection:
            await connection.execute(
                update(JobRow)
                .where(JobRow.status.not_in(sorted(FINAL)))
                .values(next_at=database_now(), intent_at=JobRow.intent_at - settle)
            )


@dataclass(frozen=True)
class Service:
    """The data that outlives its processes, and the stage before which they work."""

    stage: Stage
    folder: Path
    database_url: str

    @asynccontextmanager
    async def life(self) -> AsyncGenerator[Life]:
        """A process that comes to a good end."""
        async with self._over(self.stage.connect()) as life:
            yield life

    @asynccontextmanager
    async def last_moments(self, *, after_effect: bool) -> AsyncGenerator[Life]:
        """A process that raises `Died` as it submits."""
        mortal = Mortal(self.stage.connect(), after_effect=after_effect)
        async with self._over(cast("Provider", mortal)) as life:
            yield life

    @asynccontextmanager
    async def _over(self, provider: Provider) -> AsyncGenerator[Life]:
        settings = Settings(data_dir=self.folder, database_url=self.database_url)
        house = bootstrap.build(settings, providers={provider.spec.kind: provider})
        async with api(house, reconcile=False) as client:
            yield Life(client, house, self.stage)


def key_of(job: Json, attempt: int = 1) -> str:
    """The submission key of an attempt."""
    return f"{job['id'].replace('_', '-', 1)}-{attempt}"


def remote_of(job: Json) -> Remote:
    """The job at its provider."""
    return Remote(id=job["remote"]["id"])
