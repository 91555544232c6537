"""The service dies by kill -9 in an evaluation: no answer that was kept is asked for again."""

import asyncio
from typing import Any

import httpx

from app.bootstrap import House
from app.reconciler.asking import PARALLEL
from app.storage import answers
from tests.api.given import pause
from tests.crash.processes import DEADLINE_SECONDS, Luthier
from tests.simulated.simulated_provider import SimulatedProvider

EXAMPLES = 600


async def test_f1_no_answer_that_was_kept_is_asked_for_again(
    idle_client: httpx.AsyncClient, luthier: Luthier, vendor: SimulatedProvider, house: House
) -> None:
    rows = [{"prompt": f"say {n}", "completion": f"say {n}"} for n in range(1, EXAMPLES + 1)]
    await idle_client.post("/datasets", json={"name": "many", "examples": rows})
    body = {"dataset": "many", "candidates": ["simulated/sim-base"]}
    evaluation = (await idle_client.post("/evaluations", json=body)).json()["id"]
    kept_before: set[str] = set()
    asked_before = 0
    for enough in (EXAMPLES // 10, EXAMPLES // 2):
        await luthier.start()
        await until(idle_client, evaluation, answered=enough)
        await luthier.kill()
        kept_before, asked_before = await kept(house, evaluation), len(vendor.asked())
    await luthier.start()
    done = await until(idle_client, evaluation, answered=EXAMPLES, is_final=True)
    assert (done["status"], done["answered"]) == ("succeeded", EXAMPLES)
    asked = vendor.asked()
    assert len(set(asked)) == EXAMPLES
    # What was under way at each kill is all that may be asked for again.
    assert len(asked) <= EXAMPLES + 2 * PARALLEL
    assert kept_before.isdisjoint(asked[asked_before:])


async def kept(house: House, evaluation: str) -> set[str]:
    """The prompts whose answers are stored."""
    async with house.database.read() as connection:
        return {f"say {row}" for _, row in await answers.answered(connection, evaluation)}


async def until(
    client: httpx.AsyncClient, evaluation: str, *, answered: int, is_final: bool = False
) -> dict[str, Any]:
    """The evaluation, once it has so many answers."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            seen = (await client.get(f"/evaluations/{evaluation}")).json()
            if seen["answered"] >= answered and (seen["finished_at"] or not is_final):
                return seen
            await pause()
