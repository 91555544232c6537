"""A vendor on loopback, a service that is killed, and time that passes at will."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update

from app import bootstrap
from app.bootstrap import House
from app.domain.jobs import FINAL, Remote
from app.sandbox.frame.memory import Seen
from app.storage.base import database_now
from app.storage.jobs import JobRow
from tests.chaos.schedules import Call, Schedule, calls_of
from tests.chaos.stages import VendorStage, settings_before, side_by_side
from tests.crash.following import ENDS
from tests.crash.processes import DEADLINE_SECONDS, Luthier
from tests.serving import api

Json = dict[str, Any]

LOOK_AGAIN_SECONDS = 0.05


class Scene:
    """Vendors and one service; each job has a dataset of its own, which must be uploaded."""

    def __init__(
        self,
        stages: Mapping[str, VendorStage],
        house: House,
        client: httpx.AsyncClient,
        luthier: Luthier,
    ) -> None:
        self._stages = stages
        self._house = house
        self._client = client
        self._luthier = luthier
        self._jobs = 0

    async def rehearse(self) -> dict[str, list[Call]]:
        """For each vendor the calls that bring a job into being when nothing goes wrong.

        Those of a second job: some a process makes only once.
        """
        await asyncio.gather(*(self._rehearse(*one) for one in self._stages.items()))
        calls = await asyncio.gather(*(self._rehearse(*one) for one in self._stages.items()))
        return dict(zip(self._stages, calls, strict=True))

    async def play(self, schedules: Mapping[str, Schedule]) -> dict[str, int]:
        """Let one thing go wrong at each vendor, or kill the service before all of them at once.

        Every job ends well all the same, in one attempt; how many each vendor created for it.
        """
        before = {name: len(self._stages[name].simulated.requests) for name in schedules}
        for name, one in schedules.items():
            self._order(name, one)
        jobs = {name: await self._create(name) for name in schedules}
        if any(one.is_kill for one in schedules.values()):
            waits = (self._is_held(name, before[name], one) for name, one in schedules.items())
            await asyncio.gather(*waits)
            await self._luthier.kill()
            await self._luthier.start()
        ends = (self._ends_well(jobs[name], schedules[name]) for name in schedules)
        created = await asyncio.gather(*ends)
        for name, one in schedules.items():
            spoiled = [seen for seen in self._requests(name, before[name]) if seen.fault]
            assert spoiled, f"{name}: {one} met no request"
        return dict(zip(schedules, created, strict=True))

    async def _rehearse(self, name: str, stage: VendorStage) -> list[Call]:
        before = len(stage.simulated.requests)
        job = await self._create(name)
        running = await self._until(job, "running")
        seen = [one for one in self._requests(name, before) if one.path != "/token"]
        await self._finish(running)
        born = next(n for n, one in enumerate(seen) if _is_create(one, _key(job)))
        return calls_of(seen[: born + 1])

    async def _ends_well(self, job: Json, schedule: Schedule) -> int:
        running = await self._until(job, "running")
        done = await self._finish(running)
        assert (done["status"], len(done["attempts"])) == ("succeeded", 1), (schedule, done)
        return self._stages[job["provider"]].creations(_key(job))

    def _order(self, name: str, schedule: Schedule) -> None:
        call = schedule.call
        simulated = self._stages[name].simulated
        simulated.order(schedule.fault, call.path, method=call.method, skip=call.skip)

    def _requests(self, name: str, before: int) -> Sequence[Seen]:
        return self._stages[name].simulated.requests[before:]

    async def _create(self, name: str) -> Json:
        """A job on a dataset that nobody has uploaded yet."""
        self._jobs += 1
        factor, dataset = self._jobs, f"rows{self._jobs}"
        rows = [
            {"prompt": f"What is {n} times {factor}?", "completion": f"It is {n * factor}."}
            for n in range(12)
        ]
        await self._client.post("/datasets", json={"name": dataset, "examples": rows})
        base_model = self._stages[name].base_model
        order = {"provider": name, "base_model": base_model, "dataset": dataset}
        answer = await self._client.post("/jobs", json=order)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def _finish(self, job: Json) -> Json:
        self._stages[job["provider"]].finish(Remote(job["remote"]["id"]))
        return await self._until(job, *ENDS)

    async def _until(self, job: Json, *statuses: str) -> Json:
        """The job, once its status is one of these; all that waits for time gets it."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                seen = (await self._client.get(f"/jobs/{job['id']}")).json()
                if seen["status"] in statuses:
                    return seen
                assert seen["status"] not in ENDS | {"blocked"}, seen
                await self._let_time_pass()

    async def _is_held(self, name: str, before: int, schedule: Schedule) -> None:
        """Return once the vendor holds the answer back, its effect done where it is to be."""
        has_effect = schedule.what == "killed after the effect"
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                for seen in self._requests(name, before):
                    if seen.fault and (seen.status is not None or not has_effect):
                        return
                await self._let_time_pass()

    async def _let_time_pass(self) -> None:
        """Make due what nobody works on: the vendors have long settled, the next look is due."""
        assert self._luthier.is_alive, self._luthier.log()[-2000:]
        settle = max(stage.provider.spec.settle_seconds for stage in self._stages.values())
        async with self._house.database.write() as connection:
            await connection.execute(
                update(JobRow)
                .where(
                    JobRow.lease_owner.is_(None),
                    JobRow.status.not_in(sorted(FINAL)),
                    JobRow.next_at > database_now(),
                )
                .values(
                    next_at=database_now(), intent_at=JobRow.intent_at - int(settle * 1000) - 1000
                )
            )
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


@asynccontextmanager
async def scene(kinds: Iterable[str], folder: Path, database_url: str) -> AsyncGenerator[Scene]:
    """Vendors, and a service as a process of its own before them, over a migrated database."""
    async with AsyncExitStack() as stack:
        stages = await stack.enter_async_context(side_by_side(kinds, folder))
        settings = settings_before(stages, folder, database_url)
        house = bootstrap.build(settings)
        client = await stack.enter_async_context(api(house, reconcile=False))
        luthier = Luthier(house, providers=settings.providers)
        stack.push_async_callback(luthier.close)
        await luthier.start()
        yield Scene(stages, house, client, luthier)


def _is_create(seen: Seen, key: str) -> bool:
    """The request that names the submission key, in its path or in its body."""
    said = json.dumps(seen.body, default=str) if seen.body is not None else ""
    return seen.method in ("POST", "PUT") and (seen.path.endswith(key) or key in said)


def _key(job: Json) -> str:
    """The submission key of the first attempt."""
    return f"{job['id'].replace('_', '-', 1)}-1"
