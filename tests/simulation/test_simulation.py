"""The reconciler keeps its promises under every schedule, and the simulation finds who does not."""

import random
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.simulation.bench import Bench
from tests.simulation.invariants import INVARIANTS, violations
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.running import quiet_bench
from tests.simulation.schedule import draw
from tests.simulation.world import simulate

# What was killed in the middle of an await is collected some time later, connections and all.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SCHEDULES = 30


@pytest.fixture(scope="module")
def bench() -> Generator[Bench]:
    with quiet_bench() as bench:
        yield bench


@settings(
    max_examples=SCHEDULES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(chance=st.randoms(use_true_random=False))
def test_no_schedule_breaks_a_promise(bench: Bench, chance: random.Random) -> None:
    schedule = draw(chance)
    note(f"{schedule}")

    assert violations(simulate(bench, schedule)) == []


@pytest.mark.parametrize("seed", [9, 48])
def test_the_same_seed_is_the_same_run(bench: Bench, seed: int) -> None:
    first, second = (simulate(bench, draw(random.Random(seed))) for _ in range(2))

    assert first.vendor.trace == second.vendor.trace
    assert first.digest == second.digest


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.protocol.name)
def test_a_bug_is_found(bench: Bench, mutant: Mutant) -> None:
    schedule = draw(random.Random(mutant.seed))

    broken = {
        said.partition(":")[0] for said in violations(simulate(bench, schedule, mutant.protocol))
    }
    assert mutant.breaks in broken
    assert violations(simulate(bench, schedule)) == []


def test_a_bug_of_each_kind_is_planted() -> None:
    assert {mutant.breaks for mutant in MUTANTS} == INVARIANTS.keys()
