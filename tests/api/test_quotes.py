"""The platforms side by side, and what a job may cost."""

from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path

import httpx
import pytest

from app import bootstrap
from app.settings import Settings
from tests.api.expect import refused
from tests.api.given import Json, dataset, ended, job, recipe
from tests.serving import api
from tests.simulated.simulated_provider import TOKENS_EACH, SimulatedProvider

PAST = date(2020, 1, 1)


async def quoted(client: httpx.AsyncClient, **body: object) -> dict[str, Json]:
    """The rows by base model."""
    answer = await client.post("/quotes", json={"dataset": "echo"} | body)
    assert answer.status_code == 200, answer.text
    return {row["base_model"]: row for row in answer.json()["data"]}


async def test_every_base_model_with_the_method_is_compared(client: httpx.AsyncClient) -> None:
    await dataset(client)

    assert (await quoted(client)).keys() == {"sim-base", "sim-sft-only"}
    assert (await quoted(client, method="dpo"))["sim-base"]["reasons"][0]["code"] == (
        "dataset_kind_unfit"
    )


async def test_cost_follows_from_tokens_epochs_and_the_price(client: httpx.AsyncClient) -> None:
    await dataset(client)

    row = (await quoted(client, hyperparameters={"epochs": 4}))["sim-base"]

    assert row["fits"]
    assert row["epochs"] == {"low": 4.0, "high": 4.0}
    assert row["trained_tokens"]["low"] == round(row["tokens"] * 4 * 0.8)
    assert row["trained_tokens"]["high"] == round(row["tokens"] * 4 * 1.2)
    assert (row["cost_usd"]["low"], row["cost_usd"]["high"]) == ("0.01", "0.02")
    assert row["cost_usd"]["price"]["usd"] == "25"
    assert row["cost_usd"]["price"]["source"]
    assert row["duration_seconds"] is None


async def test_a_base_model_without_a_price_costs_nobody_knows_what(
    client: httpx.AsyncClient,
) -> None:
    await dataset(client)

    assert (await quoted(client))["sim-sft-only"]["cost_usd"] is None
    body = recipe(base_model="sim-sft-only", budget_usd="5")
    problem = refused(await client.post("/jobs", json=body), 422, "over_budget")
    assert problem["errors"][0]["code"] == "cost_unknown"


async def test_a_job_over_its_budget_is_refused(client: httpx.AsyncClient) -> None:
    await dataset(client)

    refused(await client.post("/jobs", json=recipe(budget_usd="0.01")), 422, "over_budget")
    within = await job(client, budget_usd="0.50", method={"hyperparameters": {"epochs": 4}})

    assert within["cost"] == {
        "quoted_usd": "0.02",
        "quoted_low_usd": "0.01",
        "budget_usd": "0.50",
        "actual_usd": None,
    }


async def test_what_was_trained_is_accounted_and_tells_the_next_quote(
    client: httpx.AsyncClient,
) -> None:
    await dataset(client)

    done = await ended(client, await job(client))

    # Twelve examples of a million tokens each, at 25 dollars a million.
    assert TOKENS_EACH == 1_000_000
    assert done["cost"]["actual_usd"] == "300.00"
    assert (await quoted(client))["sim-base"]["duration_seconds"] is not None


async def test_only_named_targets_are_quoted(client: httpx.AsyncClient) -> None:
    await dataset(client)
    targets = [{"provider": "simulated", "base_model": "sim-base"}]

    assert (await quoted(client, targets=targets)).keys() == {"sim-base"}
    unknown = {"dataset": "echo", "targets": [{"provider": "none", "base_model": "x"}]}
    refused(await client.post("/quotes", json=unknown), 404, "provider_not_found")


@pytest.fixture
async def closing_client(database_url: str, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A service whose vendor takes no new jobs and has retired a base model."""
    vendor = SimulatedProvider.at(tmp_path / "v", creation_closes_at=PAST, sft_only_ends_at=PAST)
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    house = bootstrap.build(settings, providers={"simulated": vendor})
    async with api(house, reconcile=False) as client:
        yield client


async def test_what_is_over_is_told_before_anything_is_sent(
    closing_client: httpx.AsyncClient,
) -> None:
    await dataset(closing_client)

    refused(await closing_client.post("/jobs", json=recipe()), 409, "creation_closed")
    row = (await quoted(closing_client))["sim-sft-only"]

    assert not row["fits"]
    assert row["deadlines"] == {
        "creation_closes_at": "2020-01-01",
        "training_ends_at": "2020-01-01",
        "serving_ends_at": None,
    }
    shown = (await closing_client.get("/providers/simulated")).json()
    assert (shown["configured"], shown["creation"]["open"]) == (True, False)
