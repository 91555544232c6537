"""The reduced proof: at every vendor, the costly moments and some that a fixed seed chose.

`make chaos` tries every fault at every call of a submission.
"""

from pathlib import Path

import pytest

from tests.chaos.scene import scene
from tests.chaos.schedules import some
from tests.conformance.conftest import VENDORS

SEED = 11


@pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)
async def test_f1_one_job_is_paid_wherever_the_service_dies(
    tmp_path: Path, database_url: str
) -> None:
    async with scene(VENDORS, tmp_path, database_url) as vendors:
        calls = await vendors.rehearse()
        chosen = {name: some(calls[name], seed=SEED) for name in VENDORS}
        for round_ in range(3):
            now = {name: schedules[round_] for name, schedules in chosen.items()}
            assert await vendors.play(now) == dict.fromkeys(VENDORS, 1), now
