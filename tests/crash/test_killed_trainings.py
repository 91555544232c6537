"""Real trainings on this machine, whose service and trainers die by kill -9."""

import asyncio
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from app import bootstrap
from app.bootstrap import House
from app.providers.local.records import MetricsEvent, PhaseEvent
from app.providers.local.runs import RunFolder
from app.settings import Settings
from tests.crash.following import events, finished, until
from tests.crash.processes import DEADLINE_SECONDS, Luthier
from tests.local.conftest import write_tiny_model

pytest.importorskip("trl")

SQLITE = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)
STEPS_AN_EPOCH = 10
ENDLESS = 4000
"""Examples that a hundred epochs do not come to the end of while a test lasts."""


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny random Llama."""
    folder = tmp_path_factory.mktemp("crash") / "tiny"
    write_tiny_model(folder)
    return str(folder)


@pytest.fixture
def sections() -> dict[str, dict[str, Any]]:
    """This machine, sparingly."""
    return {"local": {"threads": 1, "inference_idle_seconds": 60.0}}


@pytest.fixture
def house(database_url: str, tmp_path: Path, sections: dict[str, dict[str, Any]]) -> House:
    """The same data and provider as the process that is killed."""
    return bootstrap.build(
        Settings(data_dir=tmp_path, database_url=database_url, providers=sections)
    )


@pytest.fixture
def runs(house: House) -> Generator[Path]:
    """Where the run folders are; no trainer outlives the test."""
    folder = house.settings.data_dir / "local" / "runs"
    yield folder
    for run in map(RunFolder, folder.glob("[!.]*")):
        run.request_cancel()
        run.kill()


async def test_f1_f3_a_training_goes_on_while_its_service_is_killed(
    idle_client: httpx.AsyncClient, luthier: Luthier, runs: Path, base_model: str
) -> None:
    await luthier.start()
    job = await train(idle_client, base_model, epochs=6)
    await until(idle_client, job, "submitting", "running")
    run = the_run(runs, job)
    for moment in (at_once, has_started(1), is_at_step(15), is_saving):
        await reached(run, moment)
        await luthier.kill()
        await luthier.start()
    await ended_well(idle_client, job, steps=60)
    assert phases(run).count("starting") == 1
    assert folders(runs) == [run.path.name]


@SQLITE
@pytest.mark.long
async def test_f1_f3_a_training_whose_trainers_are_killed_ends_as_if_nothing_had_happened(
    idle_client: httpx.AsyncClient, luthier: Luthier, runs: Path, base_model: str
) -> None:
    await luthier.start()
    job = await train(idle_client, base_model, epochs=6)
    run = the_run(runs, job)
    await kill_trainer(run, has_started(1))
    await kill_both(luthier, run, has_started(2))
    await kill_both(luthier, run, is_at_step(15))
    await kill_trainer(run, is_at_step(35))
    was_saved = await kill_both(luthier, run, is_saving)
    await ended_well(idle_client, job, steps=60)
    assert run.launches() == (5 if was_saved else 6)
    assert folders(runs) == [run.path.name]


@SQLITE
async def test_f6_a_cancelled_training_ends_though_its_service_was_killed_and_stays_so(
    idle_client: httpx.AsyncClient, luthier: Luthier, runs: Path, base_model: str
) -> None:
    await luthier.start()
    job = await train(idle_client, base_model, epochs=100, examples=ENDLESS)
    run = the_run(runs, job)
    await reached(run, is_at_step(5))
    await idle_client.post(f"/jobs/{job}/cancel")
    await luthier.kill()
    await luthier.start()
    assert (await finished(idle_client, job))["status"] == "cancelled"
    assert trainers(run) == []
    await luthier.kill()
    await luthier.start()
    other = await train(idle_client, base_model, epochs=100, examples=ENDLESS)
    await idle_client.post(f"/jobs/{other}/cancel")
    assert (await finished(idle_client, other))["status"] == "cancelled"
    assert (run.launches(), trainers(run)) == (1, [])
    assert (await events(idle_client, job))[-1] == "job.cancelled"


@SQLITE
async def test_f5_a_training_whose_trainers_die_at_one_place_fails_and_makes_room(
    idle_client: httpx.AsyncClient, luthier: Luthier, runs: Path, base_model: str
) -> None:
    await luthier.start()
    job, next_job = [await train(idle_client, base_model, epochs=100) for _ in range(2)]
    for launch in (1, 2, 3):
        await kill_trainer(the_run(runs, job), has_started(launch))
    seen = await finished(idle_client, job)
    assert (seen["status"], seen["error"]["code"]) == ("failed", "trainer_killed")
    await reached(the_run(runs, next_job), has_started(1))


async def train(
    client: httpx.AsyncClient, base_model: str, *, epochs: int, examples: int = 40
) -> str:
    """The id of a new job of a step for every four examples of an epoch."""
    rows = [{"prompt": f"7 x {n}?", "completion": f"It is {7 * n}."} for n in range(examples)]
    await client.post("/datasets", json={"name": "sevens", "examples": rows})
    wishes = {"adapter": "lora", "epochs": epochs, "batch_size": 4}
    order = {"provider": "local", "base_model": base_model, "dataset": "sevens"}
    order |= {"method": {"type": "sft", "hyperparameters": wishes}}
    answer = await client.post("/jobs", json=order)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def ended_well(client: httpx.AsyncClient, job_id: str, *, steps: int) -> None:
    """One attempt, one model, every step told once, events without a gap."""
    job = await finished(client, job_id)
    assert (job["status"], len(job["attempts"])) == ("succeeded", 1), job
    told = (await client.get(f"/jobs/{job_id}/metrics")).json()["data"]
    assert [point["step"] for point in told] == list(range(1, steps + 1))
    assert (await events(client, job_id)).count("job.succeeded") == 1
    models = (await client.get("/models")).json()["data"]
    assert [model["job"] for model in models] == [job_id]


async def kill_trainer(run: RunFolder, moment: Callable[[RunFolder], bool]) -> bool:
    """kill -9 at that moment; whether the training was over by then."""
    await reached(run, moment)
    trainer = run.process()
    assert trainer is not None
    run.kill()
    # Not the run's lock: the next trainer may have it by now.
    await reached(run, lambda _: is_dead(trainer.pid))
    return run.result() is not None


async def kill_both(luthier: Luthier, run: RunFolder, moment: Callable[[RunFolder], bool]) -> bool:
    """kill -9 of the service and its trainer, and a new service; whether it was over by then."""
    await reached(run, moment)
    await luthier.kill()
    was_over = await kill_trainer(run, at_once)
    await luthier.start()
    return was_over


async def reached(run: RunFolder, moment: Callable[[RunFolder], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            if moment(run):
                return
            await asyncio.sleep(0.01)


def at_once(_: RunFolder) -> bool:
    return True


def has_started(launch: int) -> Callable[[RunFolder], bool]:
    """The trainer of that launch has introduced itself, or of a later one.

    A service that is killed between counting a launch and starting its trainer leaves it without.
    """

    def moment(run: RunFolder) -> bool:
        process = run.process()
        return process is not None and process.launch >= launch

    return moment


def is_at_step(step: int) -> Callable[[RunFolder], bool]:
    def moment(run: RunFolder) -> bool:
        told, _ = run.read_events(limit=10_000)
        return any(isinstance(event, MetricsEvent) and event.step >= step for event in told)

    return moment


def is_saving(run: RunFolder) -> bool:
    return "saving" in phases(run)


def phases(run: RunFolder) -> list[str]:
    told, _ = run.read_events(limit=10_000)
    return [event.phase for event in told if isinstance(event, PhaseEvent)]


def the_run(runs: Path, job_id: str) -> RunFolder:
    """The folder of a job's only attempt."""
    return RunFolder(runs / f"{job_id.replace('_', '-')}-1")


def is_dead(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def folders(runs: Path) -> list[str]:
    """The names of all runs, unfinished ones too."""
    return [folder.name for folder in runs.iterdir()]


def trainers(run: RunFolder) -> list[int]:
    """The pids of all processes that name the run."""
    found = psutil.process_iter(["cmdline"])
    return [one.pid for one in found if str(run.path) in (one.info["cmdline"] or [])]
