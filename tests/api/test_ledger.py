"""The ledger: lines, sums, CSV, and the cap on a running training."""

import csv
import io
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest

from app import bootstrap
from app.bootstrap import House
from app.domain.catalogue import BaseModel, Price, PriceUnit
from app.reconciler import cost
from app.settings import Settings
from tests.api.expect import pages, refused
from tests.api.given import Json, dataset, ended, job, judged, pause, tuned
from tests.reconciling import shop_of
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

PAST = "2020-01-01T00:00:00Z"


async def lines(client: httpx.AsyncClient, **asked: str) -> list[Json]:
    """Every line, newest first."""
    return [line for page in await pages(client, "/ledger", **asked) for line in page]


async def test_a_quote_is_a_line_and_its_cost_comes_later(client: httpx.AsyncClient) -> None:
    await dataset(client)
    begun = await job(client, tags={"team": "care"})
    [line] = await lines(client)
    assert (line["kind"], line["provider"], line["job"]) == ("training", "simulated", begun["id"])
    assert line["quoted_usd"] == begun["cost"]["quoted_usd"]
    done = await ended(client, begun)
    [line] = await lines(client)
    assert (line["actual_usd"], line["model"]) == ("300.00", done["tuned_model"])
    assert line["tags"] == {"team": "care"}
    assert float(line["variance_usd"]) == pytest.approx(300 - float(line["quoted_usd"]))


async def test_sums_go_by_provider_base_model_and_tag(client: httpx.AsyncClient) -> None:
    await tuned(client, tags={"team": "care"})
    for team in ("care", "sales"):
        await ended(client, await job(client, tags={"team": team}))
    await ended(client, await job(client))
    by_tag = await lines(client, group_by="tag:team", limit="2")
    assert [(one["group"], one["entries"], one["actual_usd"]) for one in by_tag] == [
        ("care", 2, "600.00"),
        ("sales", 1, "300.00"),
        (None, 1, "300.00"),
    ]
    for by, name in (("provider", "simulated"), ("base_model", "sim-base")):
        [one] = await lines(client, group_by=by)
        assert (one["group"], one["entries"], one["actual_usd"]) == (name, 4, "1200.00")


async def test_a_period_bounds_lines_and_sums(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    at = (await job(idle_client))["created_at"]
    assert len(await lines(idle_client, **{"from": at})) == 1
    assert await lines(idle_client, to=at) == []
    assert await lines(idle_client, to=PAST, group_by="provider") == []
    assert (await lines(idle_client, **{"from": PAST}, group_by="provider"))[0]["entries"] == 1


async def test_the_ledger_as_csv(client: httpx.AsyncClient) -> None:
    await tuned(client, tags={"team": "=1+1"})
    accept = {"Accept": "text/csv"}
    answer = await client.get("/ledger", headers=accept)
    assert answer.headers["content-type"].startswith("text/csv")
    [line] = csv.DictReader(io.StringIO(answer.text))
    assert (line["kind"], line["actual_usd"], line["evaluation"]) == ("training", "300.00", "")
    assert line["tags"] == '{"team":"=1+1"}'
    sums = await client.get("/ledger?group_by=tag:team", headers=accept)
    [group] = csv.DictReader(io.StringIO(sums.text))
    assert (group["group"], group["entries"]) == ("'=1+1", "1")


async def test_an_evaluation_without_a_price_is_no_line(client: httpx.AsyncClient) -> None:
    model = await tuned(client)
    await judged(client, candidates=["simulated/sim-base", model])
    assert {line["kind"] for line in await lines(client)} == {"training"}


class ByTheHour(SimulatedProvider):
    """A vendor whose trainings cost a dollar an hour."""

    def base_model(self, name: str) -> BaseModel:
        price = Price(
            unit=PriceUnit.TRAINING_HOURS, usd=Decimal(1), source="simulated", as_of=date.min
        )
        return msgspec.structs.replace(super().base_model(name), prices=[price])


async def test_hours_count_until_the_training_ended_whenever_that_is_seen(
    idle_client: httpx.AsyncClient, house: House, tmp_path: Path
) -> None:
    hour = 3_600_000
    await dataset(idle_client)
    begun = await job(idle_client)
    known = await house.services.jobs.get(begun["id"])
    ended_long_ago = msgspec.structs.replace(known, started_at=0, finished_at=2 * hour)
    vendor = ByTheHour.at(tmp_path / "vendor")
    shop = replace(shop_of(house), providers={"simulated": vendor})

    paid = await cost.at_the_end(shop, ended_long_ago, None, 1000 * hour)
    running = await cost.at_the_end(
        shop, msgspec.structs.replace(known, started_at=0), None, 3 * hour
    )

    assert (paid.cost.actual_usd, running.cost.actual_usd) == (Decimal(2), Decimal(3))


@pytest.mark.parametrize("asked", ["group_by=color", "group_by=tag:", "from=x", "cursor=x"])
async def test_what_the_ledger_cannot_give_is_refused(
    idle_client: httpx.AsyncClient, asked: str
) -> None:
    code = "cursor_invalid" if asked == "cursor=x" else "invalid_request"
    refused(await idle_client.get(f"/ledger?{asked}"), 422, code)


@pytest.fixture
def slow_vendor(tmp_path: Path) -> SimulatedProvider:
    """One that tells meanwhile how many tokens it has trained."""
    return SimulatedProvider.at(tmp_path / "vendor", looks_until_done=6, tells_tokens=True)


@pytest.fixture
async def slow_client(
    slow_vendor: SimulatedProvider, database_url: str, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """A service before it."""
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    house = bootstrap.build(settings, providers={"simulated": slow_vendor})
    async with api(house, reconcile=True) as client:
        yield client


async def cancelled(client: httpx.AsyncClient) -> Json:
    """A job that was cancelled when something had been trained."""
    begun = await job(client)
    path = f"/jobs/{begun['id']}"
    while not ((await client.get(path)).json()["progress"] or {}).get("percent"):
        await pause()
    await client.post(f"{path}/cancel")
    return await ended(client, begun)


async def test_a_retry_adds_to_what_was_spent_before(slow_client: httpx.AsyncClient) -> None:
    await dataset(slow_client)
    first = await cancelled(slow_client)
    again = (await slow_client.post(f"/jobs/{first['id']}/retry")).json()
    done = await ended(slow_client, again)
    [line] = await lines(slow_client)

    assert 0 < float(first["cost"]["actual_usd"]) < 300
    in_all = float(first["cost"]["actual_usd"]) + 300
    assert float(done["cost"]["actual_usd"]) == pytest.approx(in_all)
    assert line["actual_usd"] == done["cost"]["actual_usd"]


async def test_a_retry_is_held_to_the_limit_beside_what_was_spent(
    slow_client: httpx.AsyncClient, slow_vendor: SimulatedProvider
) -> None:
    await dataset(slow_client)
    first = await cancelled(slow_client)
    slow_vendor.order("submit", "later", times=1000)
    await slow_client.post(f"/jobs/{first['id']}/retry")

    committed = float((await slow_client.get("/projects/default")).json()["committed_usd"])

    spent = float(first["cost"]["actual_usd"]) + float(first["cost"]["quoted_usd"])
    assert committed == pytest.approx(spent)


async def test_what_was_trained_is_paid_though_the_model_does_not_answer(
    slow_client: httpx.AsyncClient, slow_vendor: SimulatedProvider
) -> None:
    await dataset(slow_client)
    slow_vendor.order("probe", "refuse")
    done = await ended(slow_client, await job(slow_client))
    [line] = await lines(slow_client)

    assert (done["status"], done["cost"]["actual_usd"]) == ("failed", "300.00")
    assert line["actual_usd"] == "300.00"


async def test_a_training_that_reaches_its_budget_is_cancelled(
    slow_client: httpx.AsyncClient, slow_vendor: SimulatedProvider
) -> None:
    await dataset(slow_client)
    done = await ended(slow_client, await job(slow_client, budget_usd="1.00"))
    events = (await slow_client.get(f"/jobs/{done['id']}/events?limit=200")).json()["data"]
    [line] = await lines(slow_client)
    assert done["status"] == "cancelled"
    [told] = [event["data"] for event in events if event["type"] == "job.budget_reached"]
    assert (told["budget_usd"], float(told["accounted_usd"]) >= 1.0) == ("1.00", True)
    assert float(done["cost"]["actual_usd"]) >= 1.0
    assert line["actual_usd"] == done["cost"]["actual_usd"]
    assert [one["status"] for one in slow_vendor.created()] == ["cancelled"]
