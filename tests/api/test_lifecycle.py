"""The radar: days on models, models that retire soon, and what is told ahead of time."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app import bootstrap
from app.bootstrap import House
from app.domain.lifecycle import Ends, ahead, days_of
from app.reconciler import radar
from app.settings import Settings
from tests.api.expect import refused
from tests.api.given import Json
from tests.reconciling import shop_of, tuned_at_rest
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

TODAY = date(2026, 6, 1)


def house_until(days: int, database_url: str, tmp_path: Path) -> House:
    """A service whose vendor serves its base model for so many days more."""
    ends_at = datetime.now(UTC).date() + timedelta(days=days)
    vendor = SimulatedProvider.at(tmp_path / "vendor", serving_ends_at=ends_at)
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    return bootstrap.build(settings, providers={"simulated": vendor})


async def told(client: httpx.AsyncClient) -> list[Json]:
    """What was told of models."""
    return (await client.get("/events?type=model.*")).json()["data"]


async def test_a_model_has_the_days_of_its_base(database_url: str, tmp_path: Path) -> None:
    house = house_until(45, database_url, tmp_path)
    async with api(house, reconcile=False) as client:
        model = await tuned_at_rest(client, house)
        shown = (await client.get(f"/models/{model}")).json()
        assert shown["retires_in_days"] in (44, 45)
        assert date.fromisoformat(shown["serving_ends_at"]) > datetime.now(UTC).date()
        assert shown["training_ends_at"] is None
        for span, found in (("90d", [shown]), ("P90D", [shown]), ("4w", []), ("30d", [])):
            answer = await client.get("/models", params={"retiring_within": span})
            assert answer.json()["data"] == found, span


async def test_a_model_without_a_day_never_retires(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    model = await tuned_at_rest(idle_client, house)
    assert (await idle_client.get(f"/models/{model}")).json()["retires_in_days"] is None
    assert (await idle_client.get("/models?retiring_within=9999d")).json()["data"] == []
    assert await radar.tick(shop_of(house)) == 0


async def test_an_end_is_told_once_for_each_threshold(database_url: str, tmp_path: Path) -> None:
    house = house_until(45, database_url, tmp_path)
    async with api(house, reconcile=False) as client:
        model = await tuned_at_rest(client, house)
        await client.put("/aliases/prod", json={"model": "simulated/sim-base"})
        for _ in range(3):
            await radar.tick(shop_of(house))
        events = await told(client)
    assert {event["subject"] for event in events} == {model, "simulated/sim-base"}
    assert {event["type"] for event in events} == {"model.retiring"}
    assert len(events) == 2
    nearer = house_until(20, database_url, tmp_path)
    async with api(nearer, reconcile=False) as client:
        await radar.tick(shop_of(nearer))
        assert len(await told(client)) == 4


@pytest.mark.parametrize(
    ("left", "threshold"), [(91, None), (90, 90), (31, 90), (30, 30), (7, 7), (0, 7), (-1, None)]
)
def test_the_closest_threshold_that_was_reached_is_told(left: int, threshold: int | None) -> None:
    ends = Ends(training=TODAY + timedelta(days=left))
    told = [(one.type, one.days_left, one.threshold) for one in ahead(ends, TODAY)]
    assert told == ([] if threshold is None else [("model.training_closing", left, threshold)])


@pytest.mark.parametrize(
    ("span", "days"), [("90d", 90), ("P90D", 90), ("12w", 84), ("90", None), ("P3M", None)]
)
def test_spans_are_read(span: str, days: int | None) -> None:
    assert days_of(span) == days


@pytest.mark.parametrize("span", ["90", "soon", "-1d", "1000000d"])
async def test_a_span_that_is_none_is_refused(idle_client: httpx.AsyncClient, span: str) -> None:
    answer = await idle_client.get("/models", params={"retiring_within": span})
    refused(answer, 422, "invalid_request")
