"""What an operator sees at /metrics: of this process, and of the whole house."""

import asyncio
from pathlib import Path

import httpx
import pytest

from app import bootstrap
from app.bootstrap import House
from app.domain.errors import Later, Never, RateLimited, YourTurn
from app.reconciler import observe, submit
from app.services.gauges import Gauges
from app.settings import Settings
from app.telemetry.calls import vendor_call
from tests import databases
from tests.api.given import dataset, ended, job
from tests.observability.scraping import grown, scraped, value
from tests.reconciling import shop_of
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider


async def test_a_request_is_counted_by_its_operation(idle_client: httpx.AsyncClient) -> None:
    before = await scraped(idle_client)

    await idle_client.get("/jobs")
    await idle_client.get("/jobs/job_x")
    await idle_client.get("/nowhere/42")
    await idle_client.get("/openai/v1/models")

    after, name = await scraped(idle_client), "luthier_http_request_seconds_count"
    for operation, status in [("list_jobs", "2xx"), ("get_job", "4xx"), ("none", "4xx")]:
        assert grown(before, after, name, operation=operation, status=status) == 1, operation
    assert not any("42" in str(labels) for _, labels in after)


async def test_a_job_s_calls_are_counted_by_what_came_of_them(client: httpx.AsyncClient) -> None:
    before = await scraped(client)

    await dataset(client)
    await ended(client, await job(client))

    after, calls = await scraped(client), "luthier_provider_call_seconds_count"
    for operation in ("submit", "probe"):
        labels = {"provider": "simulated", "operation": operation, "outcome": "ok"}
        assert grown(before, after, calls, **labels) == 1, operation
    done = {"provider": "simulated", "status": "succeeded"}
    assert grown(before, after, "luthier_jobs_ended_total", **done) == 1
    assert grown(before, after, "luthier_jobs_claimed_total", provider="simulated") >= 2
    assert grown(before, after, "luthier_jobs_reclaimed_total", provider="simulated") == 0
    assert grown(before, after, "luthier_handled_total", loop="simulated") >= 2


async def test_the_queue_is_told_by_state_and_project(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    await dataset(idle_client)
    for _ in range(3):
        await job(idle_client)

    seen = await scraped(idle_client)

    assert value(seen, "luthier_database_up") == 1
    assert value(seen, "luthier_jobs", provider="simulated", status="queued") == 3
    assert value(seen, "luthier_jobs_due", provider="simulated", status="queued") == 3
    assert value(seen, "luthier_queue_jobs", project="default") == 3
    assert value(seen, "luthier_webhook_outbox") == 0
    assert (value(seen, "luthier_spend_usd", provider="simulated", amount="quoted") or 0) > 0


async def test_the_oldest_observation_has_an_age(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    await dataset(idle_client)
    await job(idle_client)
    await submit.tick(shop_of(house), "simulated")
    await observe.tick(shop_of(house), "simulated")

    seen = await scraped(idle_client)

    labels = {"provider": "simulated", "status": "running"}
    age = value(seen, "luthier_job_observation_age_seconds", **labels)
    assert age is not None
    assert 0 <= age < 60


@pytest.mark.parametrize("place", ["new.db", "no folder/luthier.db", "postgres", "nowhere"])
async def test_a_database_that_cannot_be_read_hides_no_count(
    place: str, postgres: str, tmp_path: Path, vendor: SimulatedProvider
) -> None:
    is_file = place.endswith(".db")
    url = f"sqlite:///{tmp_path / place}" if is_file else databases.named(postgres, place)
    settings = Settings(data_dir=tmp_path, database_url=url)
    house = bootstrap.build(settings, providers={"simulated": vendor})

    async with api(house, reconcile=False) as client:
        seen = await scraped(client)

    assert value(seen, "luthier_database_up") == 0
    assert (value(seen, "process_cpu_seconds_total") or 0) > 0
    assert not any(name == "luthier_jobs" for name, _ in seen)


async def test_a_look_is_kept_for_all_who_ask(house: House, idle_client: httpx.AsyncClient) -> None:
    gauges = Gauges(house.database, kept_seconds=3600)

    first, second = await asyncio.gather(gauges.read(), gauges.read())

    assert first is not None
    assert first is second


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (RateLimited("slow down", retry_after=7), "rate_limited"),
        (Later("busy", retry_after=1), "unavailable"),
        (Never("no", code="no"), "refused"),
        (YourTurn("pay"), "your_turn"),
        (TimeoutError(), "unknown"),
    ],
)
async def test_every_word_of_a_provider_has_its_outcome(
    idle_client: httpx.AsyncClient, said: Exception, outcome: str
) -> None:
    before = await scraped(idle_client)

    with pytest.raises(type(said)), vendor_call("simulated", "find"):
        raise said

    labels = {"provider": "simulated", "operation": "find", "outcome": outcome}
    after = await scraped(idle_client)
    assert grown(before, after, "luthier_provider_call_seconds_count", **labels) == 1
