"""A model leaves OpenAI for this machine, while a program asks its alias and never notices."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from openai import AsyncOpenAI

from app import bootstrap
from app.bootstrap import House
from app.domain.provider import Connection
from app.main import create_app
from app.providers.local import SPEC as LOCAL
from app.providers.local import LocalOptions
from app.providers.openai import SPEC as OPENAI
from app.providers.openai import OpenAIOptions
from app.sandbox.openai.simulator import SimulatedOpenAI
from app.settings import Settings
from tests.api.given import Json, created, dataset, ended, pause
from tests.conformance.openai_stage import simulated_openai
from tests.databases import LONG_ON_POSTGRES
from tests.openai_door.backends import STILL_OPEN

BASE_MODEL = "gpt-4.1-mini-2025-04-14"
ALIAS = "support@prod"
DEMO = Path(__file__).parents[2] / "app" / "cli" / "demo_data" / "feedback"


@pytest.fixture
def simulated() -> Generator[SimulatedOpenAI]:
    """OpenAI, whose jobs move when they are told to."""
    with simulated_openai() as simulated:
        yield simulated


@pytest.fixture
def house(database_url: str, tmp_path: Path, simulated: SimulatedOpenAI) -> House:
    """The service between OpenAI and this machine."""
    options = OpenAIOptions.model_validate(
        {"api_key": "sk-leaving", "base_url": simulated.url, "poll_seconds": 0.05}
    )
    folder = str(tmp_path)
    providers = {
        "openai": OPENAI.connect(Connection("openai", options, folder, STILL_OPEN)),
        "local": LOCAL.connect(Connection("local", LocalOptions(threads=1), folder)),
    }
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    return bootstrap.build(settings, providers=providers)


@asynccontextmanager
async def at_work(house: House) -> AsyncGenerator[str]:
    """The URL of the service."""
    server = uvicorn.Server(uvicorn.Config(create_app(house), log_config=None, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@asynccontextmanager
async def asking(url: str) -> AsyncGenerator[Process]:
    """A program that asks the alias all along."""
    module = ("-m", "tests.migrating.asking_program")
    program = await asyncio.create_subprocess_exec(
        sys.executable, *module, f"{url}/openai/v1", ALIAS, stdin=PIPE, stdout=PIPE
    )
    try:
        yield program
    finally:
        await program.communicate(b"")
    assert program.returncode == 0


async def heard(program: Process, *, after: datetime | None = None) -> list[Json]:
    """The answers that the program got, until one to what it asked after that moment."""
    assert program.stdout is not None
    answers: list[Json] = []
    while not answers or (after and answers[-1]["begun"] < after.timestamp()):
        answers.append(json.loads(await program.stdout.readline()))
    return answers


async def left_at_openai(simulated: SimulatedOpenAI) -> None:
    """Somebody tunes a model with OpenAI's client, long before there is this service."""
    async with AsyncOpenAI(api_key="sk-leaving", base_url=simulated.url) as person:
        file = await person.files.create(
            file=("feedback.jsonl", _chats("train", 80)), purpose="fine-tune"
        )
        job = await person.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id, seed=3)
    simulated.advance(9, job=job.id)


async def evaluated(client: httpx.AsyncClient, job: Json) -> Json:
    """The job's evaluation at its end."""
    while True:
        [found] = (await client.get("/evaluations", params={"job": job["id"]})).json()["data"]
        if found["finished_at"] is not None:
            return found
        await pause()


@LONG_ON_POSTGRES
async def test_the_client_program_never_notices(house: House, simulated: SimulatedOpenAI) -> None:
    await left_at_openai(simulated)
    async with at_work(house) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        await client.post("/providers/openai/import", json={})
        [imported] = await _models(client)
        await client.put(f"/aliases/{ALIAS}", json={"model": imported["id"]})
        await dataset(client, "unseen", _rows("unseen", 20))
        async with asking(url) as program:
            before = await heard(program)
            wanted = {
                "provider": "local",
                "base_model": "luthier-tiny",
                "hyperparameters": {"epochs": 1, "batch_size": "auto"},
                "evaluate": {"dataset": "unseen"},
            }
            begun = created(await client.post(f"/models/{ALIAS}/migrate", json=wanted))
            done = await ended(client, begun["job"])
            verdict = await evaluated(client, done)
            alias = (await client.get(f"/aliases/{ALIAS}")).json()
            after = await heard(program, after=datetime.fromisoformat(alias["moved_at"]))

    assert (imported["provider"], begun["plan"]["compilation"]["ok"]) == ("openai", True)
    assert (done["status"], done["migrated_from"]) == ("succeeded", imported["id"])
    assert verdict["candidates"] == [imported["id"], done["tuned_model"]]
    assert verdict["passed"] is True
    assert alias["model"] == done["tuned_model"]
    assert [line["to_model"] for line in alias["history"]] == [done["tuned_model"], imported["id"]]
    assert {(one["status"], one["model"]) for one in before + after} == {(200, ALIAS)}


async def _models(client: httpx.AsyncClient) -> list[Json]:
    """The tuned models, once the imported job was looked at."""
    while True:
        found = (await client.get("/models")).json()["data"]
        if found:
            return found
        await pause()


def _rows(name: str, count: int) -> list[Json]:
    return [json.loads(line) for line in (DEMO / f"{name}.jsonl").read_text().splitlines()[:count]]


def _chats(name: str, count: int) -> bytes:
    """The rows as OpenAI takes them."""
    lines: list[dict[str, Any]] = [
        {
            "messages": [
                {"role": "user", "content": row["prompt"]},
                {"role": "assistant", "content": row["completion"]},
            ]
        }
        for row in _rows(name, count)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
