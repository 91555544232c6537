"""One worker's observe chore for some seconds, over a provider that answers at once.

python -m benchmarks.observing URL SECONDS     prints jobs a second
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from app.domain.jobs import Remote
from app.domain.provider import Observation, RemoteState
from app.reconciler import observe
from app.reconciler.work import Workshop
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.ids import new_id
from app.storage.signals import Signals
from app.storage.tenancy import as_service
from tests.simulated.simulated_provider import SimulatedProvider


class AtOnce(SimulatedProvider):
    """Every training goes on, and wants to be looked at again after all the others."""

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        return Observation(state=RemoteState.RUNNING, remote=remote, look_again_in=0.0)


async def work(url: str, *, seconds: float, folder: Path) -> float:
    """Jobs a second that were claimed, observed and written."""
    database = Database(url)
    blobs = Blobs.at(f"file://{folder}/blobs")
    providers = {"simulated": AtOnce.at(folder / "vendor")}
    shop = Workshop(database, blobs, providers, Signals(), owner=new_id("worker"))
    done, started = 0, time.perf_counter()
    with as_service():
        while time.perf_counter() - started < seconds:
            done += await observe.tick(shop, "simulated")
    passed = time.perf_counter() - started
    await database.dispose()
    return done / passed


def main(url: str, seconds: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(work(url, seconds=float(seconds), folder=Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
