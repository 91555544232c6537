"""Replicas of the real reconciler over one real database and one simulated vendor."""

import asyncio
import gc
import hashlib
import random
import sqlite3
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from app.domain.access import DEFAULT_PROJECT, Project
from app.domain.datasets import Dataset, DatasetKind
from app.domain.errors import DatabaseUnavailable, JobFinished, JobNotFinished, JobNotFound
from app.domain.jobs import Job, Method
from app.reconciler.loop import Reconciler
from app.reconciler.work import Workshop
from app.services.compilations import Compilations
from app.services.jobs import Jobs, queue
from app.services.preparing import Preparation
from app.services.provenance import Provenance
from app.services.quotes import Quotes
from app.services.webhooks import Webhooks
from app.storage import datasets, jobs, projects
from app.storage.database import Database
from app.storage.signals import WORK_DUE, Signals
from tests.simulation.bench import BEGIN, Bench
from tests.simulation.client import PRICE, Client
from tests.simulation.clockwork import Process
from tests.simulation.schedule import SKEW_SECONDS, TROUBLE_SECONDS, Fault, Schedule
from tests.simulation.sqlite import Machine, Rewrite, as_it_is
from tests.simulation.vendor import Vendor

IDLE_SECONDS = 30.0
"""How long a replica does not look by itself; hints come as in a process that serves requests."""

MOST_SECONDS = 4 * 3600.0
"""What is not settled by then never will be: the longest back-off is a quarter of an hour."""

HOOK_SECONDS = 10.0
"""How long a vendor waits for the answer to a webhook."""

SWEPT_SECONDS = 140.0
"""In so long a time whoever is alive sweeps at least twice."""

DATASET = Dataset(
    id="ds_simulated",
    name="echo",
    version=1,
    kind=DatasetKind.CHAT,
    format="chat",
    examples=1,
    bytes=1,
    sha256="0" * 64,
    created_at=BEGIN,
)


@dataclass(frozen=True)
class Protocol:
    """What is simulated: the real thing, or a mutant whose seams hold something else."""

    name: str = "luthier"
    client: type[Client] = Client
    rewrite: Rewrite = as_it_is
    planted: str = ""
    """SQL that is run on the empty database: triggers, say."""


LUTHIER = Protocol()


@dataclass
class Outcome:
    """What was found in the database and at the vendor when all had settled, or never would."""

    schedule: Schedule
    jobs: list[Job]
    events: dict[str, list[dict[str, Any]]]
    models: list[dict[str, Any]]
    booked: dict[str, int]
    """For each job the tokens that the ledger accounts for."""

    vendor: Vendor
    is_settled: bool
    steps: int
    seconds: float
    kills: int
    pauses: int

    @property
    def digest(self) -> str:
        """Equal for equal runs."""
        seen = (self.vendor.trace, self.events, self.steps, self.seconds, self.vendor.trainings)
        return hashlib.sha256(repr(seen).encode()).hexdigest()


@dataclass(eq=False)
class Replica:
    """One process of the service, from its start to its death."""

    process: Process
    machine: Machine
    database: Database
    signals: Signals
    users: Jobs
    hooks: Webhooks
    calls: int = 0


def simulate(bench: Bench, schedule: Schedule, protocol: Protocol = LUTHIER) -> Outcome:
    """Run one schedule to its end."""
    chance = random.Random(schedule.seed)
    with _uncollected():
        bench.fresh(random.Random(chance.random()), protocol.rewrite, protocol.planted)
        world = World(bench, schedule, protocol, chance)
        try:
            bench.loop.run(world.play())
            return world.outcome()
        finally:
            world.close()
            bench.clear()


@contextmanager
def _uncollected() -> Generator[None]:
    """Collecting garbage closes what the dead left, in the turn of whoever happens to live then."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


class World:
    """One simulation under way."""

    def __init__(
        self, bench: Bench, schedule: Schedule, protocol: Protocol, chance: random.Random
    ) -> None:
        self._bench = bench
        self._loop = bench.loop
        self._schedule = schedule
        self._protocol = protocol
        self._chance = chance
        self.vendor = Vendor(
            bench.loop, schedule, random.Random(chance.random()), schedule.trouble, self._hook
        )
        self._faults: list[list[Fault]] = [
            [fault for fault in schedule.faults if fault.replica == number]
            for number in range(schedule.replicas)
        ]
        self._replicas: list[Replica | None] = [None] * schedule.replicas
        self._eye = sqlite3.connect(bench.path, isolation_level=None)
        self._is_settled = False
        self._kills = self._pauses = 0
        self._processes: list[Process] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def play(self) -> None:
        """Trouble first; then everything works, and all that was asked for has to come about."""
        await self._add_jobs()
        for number in range(self._schedule.replicas):
            self._start(number)
        self._hinting = asyncio.create_task(self._hint())
        for action in sorted(self._schedule.actions, key=lambda action: action.at):
            await asyncio.sleep(max(action.at - self._loop.seconds, 0.0))
            self._ask(action.replica, action.verb, action.job)
        await asyncio.sleep(max(TROUBLE_SECONDS - self._loop.seconds, 0.0))
        await self._end_trouble()
        await self._settle()

    async def _add_jobs(self) -> None:
        _, database = self._bench.take()
        async with database.write() as connection:
            await projects.add(connection, Project(id=DEFAULT_PROJECT, created_at=BEGIN))
            await datasets.add(connection, DATASET)
            for number in range(self._schedule.jobs):
                await queue(connection, _job(number))

    def _start(self, number: int) -> None:
        machine, database = self._bench.take()
        chance = random.Random(self._chance.random())
        skew = chance.uniform(-SKEW_SECONDS, SKEW_SECONDS)
        process = Process(f"replica {number}", skew)
        signals = Signals()
        client = self._protocol.client(
            self.vendor, self._bench.folder, lambda: self._called(number)
        )
        providers = {"simulated": client}
        compilations = Compilations(database, self._bench.blobs, providers)

        def clock() -> int:
            return self._bench.now() + int(skew * 1000)

        quotes = Quotes(database, providers, compilations, clock=clock)
        preparation = Preparation(
            database, providers, compilations, quotes, Provenance(self._bench.blobs), clock=clock
        )
        users = Jobs(database, providers, preparation, signals, clock=clock)
        hooks = Webhooks(database, providers, signals)
        shop = Workshop(database, self._bench.blobs, providers, signals, process.name, chance)
        self._loop.add(process)
        self._processes.append(process)
        self._replicas[number] = Replica(process, machine, database, signals, users, hooks)
        self._arm(number)
        reconciler = Reconciler(shop, idle_seconds=IDLE_SECONDS)
        self._begin(process, reconciler.run())

    def _begin(self, process: Process, work: Coroutine[Any, Any, None]) -> None:
        """Begin work of a process, and hold on to it: nothing may collect what is only stopped."""
        self._tasks.append(self._loop.create_task(work, context=process.context()))

    def _called(self, number: int) -> None:
        replica = self._replicas[number]
        assert replica is not None
        replica.calls += 1
        self._arm(number)

    def _arm(self, number: int) -> None:
        """Let the next fault happen where its calls have been made and its steps are."""
        replica, faults = self._replicas[number], self._faults[number]
        if replica is None or not faults or replica.calls < faults[0].calls:
            return
        if replica.process.before_step is not None:
            return
        last = replica.process.steps + faults[0].steps

        def before_step(process: Process) -> None:
            if process.steps > last:
                process.before_step = None
                self._stop(number, faults.pop(0))

        replica.process.before_step = before_step

    def _stop(self, number: int, fault: Fault) -> None:
        replica = self._replicas[number]
        assert replica is not None
        replica.process.is_stopped = True
        replica.calls = 0
        if not fault.dies:
            self._pauses += 1
            self._at(fault.seconds, lambda: self._go_on(number, replica))
            return
        self._kills += 1
        replica.machine.die()
        self._replicas[number] = None
        self._at(fault.seconds, lambda: self._start(number))

    def _go_on(self, number: int, replica: Replica) -> None:
        if self._replicas[number] is replica:
            replica.process.is_stopped = False
            self._arm(number)

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        context = self._loop.world.context()
        context.run(lambda: self._loop.call_later(seconds, act, context=context))

    def _ask(self, number: int, verb: str, job: int) -> None:
        """A user's request at a replica, which may die over it."""
        replica = self._replicas[number]
        if replica is None:
            return

        async def ask() -> None:
            try:
                await getattr(replica.users, verb)(_job(job).id)
            except (JobFinished, JobNotFinished, JobNotFound, DatabaseUnavailable):
                return

        self._begin(replica.process, ask())

    async def _hook(self, remote_id: str) -> bool:
        """A webhook at one of the replicas; whether it was answered in time, and well."""
        replica = self._chance.choice(self._replicas)
        if replica is None:
            return False
        answered = self._loop.create_future()

        async def take() -> None:
            with suppress(DatabaseUnavailable):
                await replica.hooks.take("simulated", {}, remote_id.encode())
                answered.set_result(None)

        self._begin(replica.process, take())
        await asyncio.wait([answered], timeout=HOOK_SECONDS)
        return answered.done()

    async def _hint(self) -> None:
        """What a poll twice a second would find, told to some."""
        while True:
            await asyncio.sleep(0.5)
            if self._is_due():
                for replica in filter(None, self._replicas):
                    if self._chance.random() < 0.8:
                        replica.signals.send(WORK_DUE)

    def _is_due(self) -> bool:
        found = self._eye.execute(
            "SELECT 1 FROM jobs WHERE next_at <= ? AND status NOT IN "
            "('succeeded', 'failed', 'cancelled') LIMIT 1",
            [self._bench.now()],
        )
        return found.fetchone() is not None

    async def _end_trouble(self) -> None:
        """One replica that goes on, and a vendor that does what it says."""
        self.vendor.trouble = 0.0
        survivor = self._chance.randrange(self._schedule.replicas)
        for number, replica in enumerate(self._replicas):
            self._faults[number].clear()
            if replica is not None:
                replica.process.before_step = None
                replica.process.is_stopped = number != survivor
                if number != survivor:
                    replica.machine.die()
                    self._replicas[number] = None
        while self._replicas[survivor] is None:  # noqa: ASYNC110 - simulated time is what it needs
            await asyncio.sleep(1.0)

    async def _settle(self) -> None:
        quiet_since = self._loop.seconds
        while self._loop.seconds < MOST_SECONDS:
            found = self._open_jobs()
            for id, status in found:
                if status == "blocked":
                    self._retry(id)
            if found or self.vendor.landing:
                quiet_since = self._loop.seconds
            if self._loop.seconds - quiet_since > SWEPT_SECONDS:
                self._is_settled = True
                return
            await asyncio.sleep(5.0)

    def _retry(self, id: str) -> None:
        """Its user does what was asked for: nobody else can."""
        for number, replica in enumerate(self._replicas):
            if replica is not None:
                self._ask(number, "retry", int(id[-2:]))
                return

    def _open_jobs(self) -> list[tuple[str, str]]:
        """The jobs whose desired state has not been reached."""
        return self._eye.execute(
            "SELECT id, status FROM jobs WHERE status NOT IN ('succeeded', 'failed', 'cancelled') "
            "AND NOT (desired = 'pause' AND status = 'paused') ORDER BY id"
        ).fetchall()

    def close(self) -> None:
        """Look no more."""
        self._eye.close()

    def outcome(self) -> Outcome:
        """What there is now; raises what broke a request."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()
        found = self._bench.loop.run(self._read())
        return Outcome(
            schedule=self._schedule,
            jobs=found[0],
            events=found[1],
            models=found[2],
            booked=found[3],
            vendor=self.vendor,
            is_settled=self._is_settled,
            steps=sum(process.steps for process in self._processes),
            seconds=self._loop.seconds,
            kills=self._kills,
            pauses=self._pauses,
        )

    async def _read(
        self,
    ) -> tuple[list[Job], dict[str, Any], list[dict[str, Any]], dict[str, int]]:
        _, database = self._bench.take()
        ids = [_job(number).id for number in range(self._schedule.jobs)]
        async with database.read() as connection:
            found = await jobs.find_many(connection, ids)
        events: dict[str, list[dict[str, Any]]] = {id: [] for id in ids}
        for job, seq, type, at in self._eye.execute(
            "SELECT job_id, seq, type, at FROM job_events ORDER BY job_id, seq"
        ):
            events[job].append({"seq": seq, "type": type, "at": at})
        models = [
            {"job": job, "artifact": artifact}
            for job, artifact in self._eye.execute("SELECT job_id, artifact FROM models")
        ]
        micros = self._eye.execute("SELECT job_id, sum(actual) FROM ledger GROUP BY job_id")
        booked = {job: int((actual or 0) / PRICE.usd) for job, actual in micros}
        return [found[id] for id in ids if id in found], events, models, booked


def _job(number: int) -> Job:
    return Job(
        id=f"job_{number:026d}",
        name=None,
        provider="simulated",
        base_model="sim-base",
        dataset=DATASET.ref,
        method=Method("sft"),
        seed=1,
        event_count=1,
        created_at=BEGIN,
    )
