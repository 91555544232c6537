"""`python -m tests.simulation 10000 [first seed]`: schedules on all cores, with figures."""

import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.invariants import violations
from tests.simulation.running import quiet_bench
from tests.simulation.schedule import draw
from tests.simulation.world import Outcome, simulate

AT_ONCE = 50
"""Schedules that one process runs before it tells."""

Found = tuple[Counter[str], list[str]]


def main(schedules: int = 10_000, first: int = 0) -> int:
    """Run the seeds from `first` on; the exit status says whether all promises were kept."""
    began, total, broken = time.monotonic(), Counter[str](), list[str]()
    begins = range(first, first + schedules, AT_ONCE)
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for figures, found in processes.map(run, begins, [first + schedules] * len(begins)):
            total += figures
            broken += found
            say(f"{total['schedules']:>7} schedules, {len(broken)} broken", *found)
    seconds = time.monotonic() - began
    say(*(f"{figure:>12,}  {name}" for name, figure in total.items()))
    say(f"{seconds:>12,.0f}  seconds, {schedules / seconds:.1f} schedules a second")
    return 1 if broken else 0


def say(*lines: str) -> None:
    """Print at once, also where the output is a file."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def run(first: int, end: int) -> Found:
    """The figures of some seeds, and what was broken by which."""
    figures, broken = Counter[str](), list[str]()
    with quiet_bench() as bench:
        for seed in range(first, min(first + AT_ONCE, end)):
            outcome = simulate(bench, draw(random.Random(seed)))
            figures += _figures(outcome)
            broken += [f"seed {seed}: {what}" for what in violations(outcome)]
    return figures, broken


def _figures(outcome: Outcome) -> Counter[str]:
    keys = Counter(training.key for training in outcome.vendor.trainings.values())
    events = Counter(event["type"] for told in outcome.events.values() for event in told)
    return Counter(
        {
            "schedules": 1,
            "jobs": len(outcome.jobs),
            "steps": outcome.steps,
            "simulated seconds": int(outcome.seconds),
            "kills": outcome.kills,
            "pauses": outcome.pauses,
            "requests to vendors": len(outcome.vendor.trace),
            "webhooks taken": outcome.vendor.told,
            "trainings created": keys.total(),
            "created beside another of their key": keys.total() - len(keys),
            "cancelled by the sweep": events["job.surplus_cancelled"],
            "lost answers to a creation": events["job.outcome_unknown"],
            "adopted by look-up": events["job.adopted"],
            "parked": events["job.parked"],
            "retried by their users": events["job.retried"],
            "cents in the ledger": sum(outcome.booked.values()) // 100,
        }
    )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
