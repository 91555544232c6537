"""What tests of evaluations share: a vendor that goes by a script, and ticks without a timer."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from app.bootstrap import House
from app.reconciler import evaluate
from app.reconciler.work import Workshop
from app.storage.evaluations import EvaluationRow
from tests.evaluations.scripted import ScriptedVendor
from tests.simulated.simulated_provider import SimulatedOptions

Tick = Callable[[], Awaitable[int]]


class NoChance(random.Random):
    """Back-off without a wait of chance."""

    def random(self) -> float:
        return 0.0


@pytest.fixture
def vendor(tmp_path: Path) -> ScriptedVendor:
    """In place of the simulated vendor that other tests have."""
    return ScriptedVendor(SimulatedOptions(folder=tmp_path / "vendor"))


@pytest.fixture
def tick(house: House) -> Tick:
    """One tick of the chore over what is open, due or not."""
    shop = Workshop(
        database=house.database,
        blobs=house.blobs,
        providers=house.providers,
        signals=house.signals,
        owner="test",
        chance=NoChance(),
    )

    async def tick() -> int:
        async with house.database.write() as connection:
            open_ones = EvaluationRow.finished_at.is_(None)
            await connection.execute(update(EvaluationRow).where(open_ones).values(next_at=0))
        return await evaluate.tick(shop)

    return tick
