"""`python -m tests.chaos [seed]`: every fault at every call of a submission, at every vendor.

What was tried is written into docs/measurements.md.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from app.storage import migrating
from app.storage.database import embedded_url, normalise
from tests.chaos.page import say, write
from tests.chaos.scene import scene
from tests.chaos.schedules import FAULTS, Schedule, every
from tests.conformance.conftest import VENDORS
from tests.sandbox.egress import no_egress


async def chaos(seed: int) -> tuple[dict[str, list[Schedule]], Counter[str]]:
    """Play all schedules in a random order, one at each vendor at a time; what each created."""
    created: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        url = embedded_url(Path(folder))
        await migrating.migrate(normalise(url))
        async with scene(VENDORS, Path(folder), url) as vendors:
            calls = await vendors.rehearse()
            schedules = {name: _shuffled(every(calls[name]), seed) for name in VENDORS}
            rounds = list(zip_longest(*schedules.values()))
            for number, chosen in enumerate(rounds, start=1):
                played = zip(schedules, chosen, strict=True)
                now = {name: one for name, one in played if one is not None}
                created.update(await vendors.play(now))
                say(f"round {number} of {len(rounds)}", passing=True)
    return schedules, created


def _shuffled(schedules: list[Schedule], seed: int) -> list[Schedule]:
    """The kills first: one kill is for all vendors of a round."""
    random.Random(seed).shuffle(schedules)
    return sorted(schedules, key=lambda one: not one.is_kill)


def _report(
    played: Mapping[str, Sequence[Schedule]],
    created: Mapping[str, int],
    seed: int,
    seconds: float,
) -> str:
    head = " | ".join(["vendor", *FAULTS, "jobs created", "jobs too many"])
    rows = [f"| {head} |", "| --- |" + " ---: |" * (len(FAULTS) + 2)]
    for name, schedules in played.items():
        tried = Counter(one.what for one in schedules)
        made = (created[name], created[name] - len(schedules))
        cells = [name, *(str(tried[what]) for what in FAULTS), *map(str, made)]
        rows.append(f"| {' | '.join(cells)} |")
    total = sum(len(schedules) for schedules in played.values())
    said = (
        "## One paid job (`make chaos`)\n\n"
        "A service as a process of its own before the simulators, killed with `kill -9` while a "
        "vendor holds\nback the answer to one request of a submission, or answered wrongly; every "
        "fault at every request\nup to the create. Each job ended well in one attempt. SQLite, "
        f"seed {seed}: {total} schedules, {seconds:.0f} s.\n\n"
    )
    return said + "\n".join(rows) + "\n"


def main(seed: int) -> None:
    """Play, and tell."""
    began = time.monotonic()
    with no_egress():
        played, created = asyncio.run(chaos(seed))
    write("chaos", _report(played, created, seed, time.monotonic() - began))
    if any(created[name] != len(schedules) for name, schedules in played.items()):
        sys.exit("A job was paid twice, or never.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
