"""Bounds of a request: how often, how much, and how long."""

from pathlib import Path

import httpx

from app import bootstrap
from app.settings import Settings
from tests.access.given import key
from tests.api.expect import refused
from tests.api.given import dataset, job
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider


async def test_a_key_sends_no_more_than_it_may_in_a_minute(idle_client: httpx.AsyncClient) -> None:
    limited = await key(idle_client, rate_limit_per_minute=2)

    answers = [await idle_client.get("/jobs", headers=limited) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    left = [answer.headers["ratelimit-remaining"] for answer in answers]
    assert left == ["1", "0", "0"]
    problem = refused(answers[2], 429, "rate_limited")
    assert "2 requests a minute" in problem["detail"]
    seconds = int(answers[2].headers["retry-after"])
    assert 1 <= seconds <= 60
    assert answers[2].headers["ratelimit-limit"] == "2"
    assert answers[2].headers["ratelimit-reset"] == str(seconds)


async def test_one_key_s_limit_is_no_other_s(idle_client: httpx.AsyncClient) -> None:
    limited = await key(idle_client, rate_limit_per_minute=1)
    await idle_client.get("/jobs", headers=limited)

    free = await idle_client.get("/jobs", headers=await key(idle_client))

    assert free.status_code == 200
    assert "ratelimit-limit" not in free.headers


async def test_openai_s_programs_hear_it_in_their_own_words(
    idle_client: httpx.AsyncClient,
) -> None:
    limited = await key(idle_client, rate_limit_per_minute=1)
    await idle_client.get("/openai/v1/models", headers=limited)

    answer = await idle_client.get("/openai/v1/models", headers=limited)

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert "retry-after" in answer.headers


async def test_a_request_that_takes_too_long_is_broken_off(
    idle_client: httpx.AsyncClient, database_url: str, tmp_path: Path, vendor: SimulatedProvider
) -> None:
    await dataset(idle_client)
    path = f"/jobs/{(await job(idle_client))['id']}"
    settings = Settings(data_dir=tmp_path, database_url=database_url, request_seconds=0.05)
    house = bootstrap.build(settings, providers={"simulated": vendor})

    async with api(house, reconcile=False) as hasty:
        refused(await hasty.get(path, params={"wait": 30}), 503, "request_timed_out")

    assert (await idle_client.get(path)).status_code == 200
