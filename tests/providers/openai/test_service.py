"""The whole service before OpenAI: jobs from their creation to their models."""

import json
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import SecretStr

from app import bootstrap
from app.domain.provider import Connection
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider
from app.sandbox.frame.conditions import Pace
from app.sandbox.frame.faults import Failure, Hang, Reset
from app.sandbox.openai.conditions import SECRET, Conditions
from app.sandbox.openai.simulator import SimulatedOpenAI
from app.settings import Settings
from tests.api.expect import refused
from tests.api.given import Json, dataset, ended, job, recipe, rows, until
from tests.providers.signing import signed
from tests.serving import api

STILL_OPEN: dict[str, Any] = {
    "creation": {"closes_at": "2999-01-01"},
    "defaults": {"training_ends_at": "2999-01-01"},
}
"""What the tests run on, whatever day it is."""

BASE_MODEL = "gpt-4.1-mini-2025-04-14"
WEBHOOKS = "/providers/openai/webhooks"
JOBS = "/v1/fine_tuning/jobs"


@pytest.fixture
def simulated() -> Generator[SimulatedOpenAI]:
    """OpenAI, whose jobs move when they are told to."""
    with SimulatedOpenAI(conditions=Conditions(pace=Pace(by="order"))) as simulated:
        yield simulated


@pytest.fixture
async def service(
    simulated: SimulatedOpenAI, database_url: str, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """The service with a key, which would not look at a running job for an hour."""
    async with _serving(simulated, database_url, tmp_path, poll_seconds=3600) as client:
        yield client


@pytest.fixture
async def eager(
    simulated: SimulatedOpenAI, database_url: str, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """The service, which looks often and settles at once, at a vendor whose jobs move by looks."""
    simulated.change(pace=Pace())
    async with _serving(simulated, database_url, tmp_path, poll_seconds=0.05) as client:
        yield client


FAULTS = {
    "cut on the way there": Reset(during="upload"),
    "cut on the way back": Reset(during="effect"),
    "failed once it was done": Failure(status=502, after_effect=True),
    "done and never answered": Hang(after_effect=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_whatever_becomes_of_the_create_one_job_is_paid(
    eager: httpx.AsyncClient, simulated: SimulatedOpenAI, fault: Any
) -> None:
    simulated.order(fault, JOBS, method="POST")
    await dataset(eager)

    done = await ended(eager, await _job(eager))

    assert done["status"] == "succeeded"
    assert simulated.creations("luthier_key").total() == 1


async def test_a_row_of_the_validation_that_would_be_refused_is_named_before_anything_is_sent(
    service: httpx.AsyncClient, simulated: SimulatedOpenAI
) -> None:
    untold = [{"type": "text"}]
    turns = [{"role": "user", "content": untold}, {"role": "assistant", "content": "What?"}]
    await dataset(service)
    await dataset(service, "held-out", [*rows(3), {"messages": turns}])

    order = recipe(provider="openai", base_model=BASE_MODEL, validation_dataset="held-out")
    problem = refused(await service.post("/jobs", json=order), 422, "dataset_unfit")

    assert [fault["line"] for fault in problem["errors"]] == [4]
    assert simulated.requests == []


async def test_a_vendor_that_is_away_makes_a_job_stale_and_never_failed(
    eager: httpx.AsyncClient, simulated: SimulatedOpenAI
) -> None:
    simulated.change(pace=Pace(by="order"))
    running = await _running(eager)
    simulated.stop()
    stale = await until(eager, running, lambda seen: seen["stale"])
    assert stale["status"] == "running"

    simulated.start()
    simulated.advance(9)

    assert (await ended(eager, stale))["status"] == "succeeded"


async def test_a_webhook_brings_a_job_to_its_end(
    service: httpx.AsyncClient, simulated: SimulatedOpenAI
) -> None:
    running = await _running(service)
    simulated.advance(9, job=running["remote"]["id"])
    (notice,) = simulated.webhooks
    body = json.dumps(notice.payload).encode()

    answer = await service.post(
        WEBHOOKS,
        content=body,
        headers=signed(body, SECRET, at=int(time.time())) | {"authorization": ""},
    )

    assert answer.status_code == 204
    done = await ended(service, running)
    assert done["status"] == "succeeded"
    assert done["tuned_model"]


async def test_a_message_that_nobody_signed_is_refused(service: httpx.AsyncClient) -> None:
    forged = signed(b"{}", "whsec_b3RoZXI=", at=int(time.time()))

    refused(await service.post(WEBHOOKS, content=b"{}"), 401, "unauthorized")
    refused(await service.post(WEBHOOKS, content=b"{}", headers=forged), 401, "unauthorized")


async def test_news_of_a_job_that_is_not_ours_is_taken(service: httpx.AsyncClient) -> None:
    body = b'{"type": "fine_tuning.job.failed", "data": {"id": "ftjob-of-another"}}'

    answer = await service.post(
        WEBHOOKS, content=body, headers=signed(body, SECRET, at=int(time.time()))
    )

    assert answer.status_code == 204


async def _running(service: httpx.AsyncClient) -> Json:
    """A job that the service has submitted and looked at once."""
    await dataset(service)
    return await until(service, await _job(service), lambda seen: seen["observed_at"] is not None)


async def _job(service: httpx.AsyncClient) -> Json:
    return await job(service, provider="openai", base_model=BASE_MODEL)


@asynccontextmanager
async def _serving(
    simulated: SimulatedOpenAI, database_url: str, folder: Path, *, poll_seconds: float
) -> AsyncGenerator[httpx.AsyncClient]:
    options = OpenAIOptions.model_validate(
        {
            "api_key": "sk-test",
            "base_url": simulated.url,
            "webhook_secret": SECRET,
            "poll_seconds": poll_seconds,
            "timeout_seconds": 2,
        }
    )
    connection = Connection("openai", options, str(folder), STILL_OPEN)
    spec = msgspec.structs.replace(SPEC, settle_seconds=0.0)
    settings = Settings(data_dir=folder, database_url=database_url, admin_key=SecretStr("our-key"))
    providers = {"openai": OpenAIProvider(spec, connection)}
    async with api(bootstrap.build(settings, providers=providers), reconcile=True) as client:
        client.headers["authorization"] = "Bearer our-key"
        yield client
