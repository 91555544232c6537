"""What was tuned in a project of Google's becomes ours."""

import json
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import bootstrap
from app.providers.vertex.provider import VertexProvider
from app.sandbox.vertex.simulator import SimulatedVertex
from app.settings import Settings
from tests.api.given import until
from tests.imports.given import listed
from tests.providers.vertex.given import a_plan, chats, connected, trained
from tests.serving import api


@pytest.fixture
def google() -> Generator[SimulatedVertex]:
    """Google, with an empty bucket."""
    with SimulatedVertex() as google:
        yield google
    assert google.violations == []


@pytest.fixture
async def provider(google: SimulatedVertex) -> AsyncGenerator[VertexProvider]:
    """The provider, as the service has it and as somebody else used it before."""
    provider = connected(google)
    yield provider
    await provider.close()


@pytest.fixture
async def gemini(
    provider: VertexProvider, database_url: str, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """The service, which looks at running jobs all the time."""
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    built = bootstrap.build(settings, providers={"vertex": provider})
    async with api(built, reconcile=True) as client:
        yield client


async def test_a_finished_job_comes_with_its_model_and_its_dataset(
    gemini: httpx.AsyncClient, provider: VertexProvider
) -> None:
    await trained(provider, a_plan(key="job-00000000000000000000000000-1"))

    first, again = [(await gemini.post("/providers/vertex/import")).json() for _ in range(2)]

    assert (len(first["files"]), len(first["jobs"]), first["refused"]) == (1, 1, [])
    assert again["known"] == {"jobs": 1, "files": 1, "models": 1}
    job = (await gemini.get(f"/jobs/{first['jobs'][0]['id']}")).json()
    job = await until(gemini, job, lambda seen: seen["status"] == "succeeded")
    assert job["dataset"]["id"] == first["files"][0]["id"]
    (model,) = await listed(gemini, "/models")
    assert (model["id"], model["job"]) == (job["tuned_model"], job["id"])
    asked = {"messages": chats()[3]["messages"][:2]}
    told = await gemini.post(f"/models/{model['id']}/chat/completions", json=asked)
    assert told.json()["choices"][0]["message"]["content"] == "It is 6."


async def test_rows_without_a_counterpart_are_told_by_their_lines(
    gemini: httpx.AsyncClient, provider: VertexProvider, google: SimulatedVertex
) -> None:
    await provider.submit(a_plan())
    (address,) = google.objects
    bucket, _, name = address.removeprefix("gs://").partition("/")
    google.put(bucket, name, (google.read(address) or b"") + json.dumps(_searching()).encode())

    done = (await gemini.post("/providers/vertex/import", json={"what": ["files"]})).json()

    (problem,) = done["refused"]
    assert (problem["remote"], problem["code"]) == (address, "dataset_invalid")
    assert [(fault["line"], fault["code"]) for fault in problem["errors"]] == [(13, "row_shape")]


def _searching() -> Any:
    turns = [{"role": role, "parts": [{"text": "Hello"}]} for role in ("user", "model")]
    return {"contents": turns, "tools": [{"googleSearch": {}}]}
