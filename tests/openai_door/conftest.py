"""The door on a real port, OpenAI's SDK in front of it and a simulated vendor behind it."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from pydantic import SecretStr

from app import bootstrap
from app.api.openai.door import PREFIX
from app.bootstrap import House
from app.domain.jobs import Job
from app.main import create_app
from app.reconciler import observe, steer, submit
from app.reconciler.work import Workshop
from app.settings import Settings
from app.storage import jobs
from tests.openai_door.backends import BACKENDS, Backend
from tests.openai_door.heard import Heard

KEY = "our-key"
LOOKS = 10


@dataclass(frozen=True)
class Desk:
    """A program at the door, and the service behind it, whose chores the test ticks."""

    openai: AsyncOpenAI
    house: House
    backend: Backend
    name: str
    """The provider's."""

    heard: Heard
    url: str

    @property
    def model(self) -> str:
        """The base model as the door names it."""
        return f"{self.name}/{self.backend.base_model}"

    async def submit(self, name: str) -> Job:
        """The job once it was sent to its provider."""
        await submit.tick(self._shop, self.name)
        return await self.house.services.jobs.get(_ours(name))

    async def steer(self, name: str) -> None:
        """Carry out what was wished for, and look at what came of it."""
        await self._make_due(name)
        await steer.tick(self._shop, self.name)
        await self._look(name)

    async def end(self, name: str) -> None:
        """See the job through to its end."""
        job = await self.submit(name)
        assert job.remote is not None, job.status_detail or job.error
        self.backend.finish(job.remote)
        for _ in range(LOOKS):
            if job.status.is_final:
                return
            await self._look(name)
            job = await self.house.services.jobs.get(job.id)
        raise AssertionError(f"{job.id} is {job.status} after {LOOKS} looks")

    async def _look(self, name: str) -> None:
        await self._make_due(name)
        await observe.tick(self._shop, self.name)

    async def _make_due(self, name: str) -> None:
        async with self.house.database.write() as connection:
            await jobs.make_due(connection, _ours(name))

    @property
    def _shop(self) -> Workshop:
        house = self.house
        return Workshop(house.database, house.blobs, house.providers, house.signals, owner="test")


@pytest.fixture
def backend_name() -> str:
    """What stands behind the door unless a test says otherwise."""
    return "simulated"


@pytest.fixture
async def desk(backend_name: str, database_url: str, tmp_path: Path) -> AsyncGenerator[Desk]:
    """The door, open; what breaks OpenAI's contract fails the test."""
    heard = Heard()
    settings = Settings(data_dir=tmp_path, database_url=database_url, admin_key=SecretStr(KEY))
    async with BACKENDS[backend_name](tmp_path) as backend:
        house = bootstrap.build(settings, providers={backend_name: backend.provider})
        async with _served(house) as url, _sdk(url, heard) as openai:
            yield Desk(openai, house, backend, backend_name, heard, url)
    assert heard.faults == []


@asynccontextmanager
async def _served(house: House) -> AsyncGenerator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(house, reconcile=False)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}{PREFIX}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def _sdk(url: str, heard: Heard) -> AsyncGenerator[AsyncOpenAI]:
    http_client = DefaultAsyncHttpxClient(trust_env=False, event_hooks={"response": [heard.note]})
    async with AsyncOpenAI(
        base_url=url,
        api_key=KEY,
        max_retries=0,
        timeout=60,
        http_client=http_client,
        _strict_response_validation=True,
    ) as openai:
        yield openai


def _ours(name: str) -> str:
    return name.replace("ftjob-", "job_", 1)
