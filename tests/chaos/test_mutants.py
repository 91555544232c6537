"""Four protections, each left out in turn: without any of them somebody pays twice.

A mutant is another composition of the same parts: a provider without its look-up, a SPEC that does
not wait, a database whose epoch never moves, a reconciler without its sweep.
"""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text, update

from app import bootstrap
from app.bootstrap import House
from app.domain.jobs import Remote
from app.domain.provider import Connection, ProviderSpec, TrainingPlan
from app.providers.openai import SPEC
from app.providers.openai.provider import OpenAIProvider
from app.reconciler import submit, sweep
from app.reconciler.work import Workshop
from app.sandbox.frame.listing import Lag
from app.settings import Settings
from app.storage.base import database_now
from app.storage.jobs import JobRow
from tests.api.given import dataset, job
from tests.chaos.stages import STILL_OPEN
from tests.conformance.openai_stage import OpenAIStage, openai_stage
from tests.serving import api

Json = dict[str, Any]

LAG_SECONDS = 60
"""How long the vendor's list does not show what it just created."""


class Blind(OpenAIProvider):
    """Finds nothing again."""

    async def find(self, key: str) -> Remote | None:
        return None


class Stopped(OpenAIProvider):
    """A replica that stands still between the vendor's answer and what it makes of it."""

    def __init__(self, spec: ProviderSpec, connection: Connection) -> None:
        super().__init__(spec, connection)
        self.has_answer = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def submit(self, plan: TrainingPlan) -> Remote:
        try:
            return await super().submit(plan)
        finally:
            self.has_answer.set()
            await self.goes_on.wait()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[OpenAIStage]:
    """OpenAI, whose jobs move when they are told to."""
    async with openai_stage(tmp_path) as stage:
        yield stage


@pytest.fixture
def house(database_url: str, tmp_path: Path, stage: OpenAIStage) -> House:
    """A service before it."""
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(STILL_OPEN.format("openai"))
    settings = Settings(data_dir=tmp_path, database_url=database_url, catalogue=catalogue)
    provider = _provider(OpenAIProvider, stage, tmp_path)
    return bootstrap.build(settings, providers={"openai": provider})


@pytest.fixture
async def queued(house: House) -> AsyncGenerator[Json]:
    """A job that waits for its first attempt."""
    async with api(house, reconcile=False) as client:
        await dataset(client)
        yield await job(client, provider="openai", base_model=OpenAIStage.base_model)


@pytest.mark.parametrize(("provider", "paid"), [(OpenAIProvider, 1), (Blind, 2)])
async def test_without_a_look_up_a_lost_answer_is_paid_twice(
    house: House, queued: Json, stage: OpenAIStage, tmp_path: Path,
    provider: type[OpenAIProvider], paid: int,
) -> None:  # fmt: skip
    shop = _shop(house, _provider(provider, stage, tmp_path))
    stage.lose_the_next_create()

    await submit.tick(shop, "openai")
    await _pass(house, stage, SPEC.settle_seconds)
    await submit.tick(shop, "openai")

    assert _paid(stage) == paid


@pytest.mark.parametrize(("settle", "paid"), [(SPEC.settle_seconds, 1), (0.0, 2)])
async def test_without_time_to_settle_a_list_that_lags_is_paid_twice(
    house: House, queued: Json, stage: OpenAIStage, tmp_path: Path, settle: float, paid: int
) -> None:
    hasty = msgspec.structs.replace(SPEC, settle_seconds=settle)
    shop = _shop(house, _provider(OpenAIProvider, stage, tmp_path, spec=hasty))
    stage.simulated.change(listing_lag=Lag(seconds=LAG_SECONDS))
    stage.lose_the_next_create()

    await submit.tick(shop, "openai")
    await _pass(house, stage, settle)
    await submit.tick(shop, "openai")

    assert _paid(stage) == paid


@pytest.mark.parametrize("pattern", ["postgres"], indirect=True)
@pytest.mark.parametrize(("moves", "paid"), [(True, 1), (False, 2)])
async def test_without_a_fence_a_replica_that_stood_still_is_paid_twice(
    house: House, queued: Json, stage: OpenAIStage, tmp_path: Path, moves: bool, paid: int
) -> None:
    if not moves:
        await _freeze_the_epoch(house)
    slow = _provider(Stopped, stage, tmp_path)
    stage.be_busy(0)
    standing = asyncio.create_task(submit.tick(_shop(house, slow), "openai"))
    await slow.has_answer.wait()
    other = _shop(house, _provider(OpenAIProvider, stage, tmp_path))
    await _pass(house, stage, SPEC.settle_seconds)
    await submit.tick(other, "openai")

    slow.goes_on.set()
    await standing
    await _pass(house, stage, SPEC.settle_seconds)
    await submit.tick(other, "openai")

    assert _paid(stage) == paid


@pytest.mark.parametrize(("sweeps", "alive"), [(True, 1), (False, 2)])
async def test_without_a_sweep_what_landed_late_goes_on(
    house: House, queued: Json, stage: OpenAIStage, tmp_path: Path, sweeps: bool, alive: int
) -> None:
    shop = _shop(house, _provider(OpenAIProvider, stage, tmp_path))
    stage.simulated.change(listing_lag=Lag(seconds=2 * SPEC.settle_seconds))
    stage.lose_the_next_create()
    for _ in range(3):
        await submit.tick(shop, "openai")
        await _pass(house, stage, SPEC.settle_seconds)

    if sweeps:
        await sweep.tick(shop, "openai")

    assert sum(not one.is_over for one in stage.simulated.jobs) == alive


def _provider(
    kind: type[Any], stage: OpenAIStage, folder: Path, *, spec: ProviderSpec = SPEC
) -> Any:
    still_open = {"creation": {"closes_at": "2999-01-01"}}
    still_open |= {"defaults": {"training_ends_at": "2999-01-01"}}
    return kind(spec, Connection("openai", stage.options, str(folder), still_open))


def _shop(house: House, provider: OpenAIProvider) -> Workshop:
    """What the chores of one replica work with."""
    return Workshop(
        house.database, house.blobs, {"openai": provider}, house.signals, owner=str(id(provider))
    )


def _paid(stage: OpenAIStage) -> int:
    return len(stage.simulated.jobs)


async def _pass(house: House, stage: OpenAIStage, seconds: float) -> None:
    """Let time pass for everybody: leases run out, the vendor settles."""
    millis = int((seconds + 1) * 1000)
    stage.simulated.pass_time(seconds + 1)
    async with house.database.write() as connection:
        await connection.execute(
            update(JobRow).values(next_at=database_now(), intent_at=JobRow.intent_at - millis)
        )


async def _freeze_the_epoch(house: House) -> None:
    """A storage whose writes name an epoch that says nothing."""
    async with house.database.write() as connection:
        await connection.execute(text(
            "CREATE FUNCTION keep_epoch() RETURNS trigger AS "
            "$$ BEGIN NEW.epoch := OLD.epoch; RETURN NEW; END $$ LANGUAGE plpgsql"
        ))  # fmt: skip
        await connection.execute(text(
            "CREATE TRIGGER frozen BEFORE UPDATE ON jobs "
            "FOR EACH ROW EXECUTE FUNCTION keep_epoch()"
        ))  # fmt: skip
