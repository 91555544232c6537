"""What a provider would say of a dataset, asked over HTTP."""

import hashlib
from pathlib import Path

import httpx
import pytest

from tests.api.expect import refused
from tests.api.given import Json, created, dataset, recipe, rows
from tests.simulated.simulated_provider import SimulatedProvider

TARGET = {"provider": "simulated", "base_model": "sim-base"}


@pytest.fixture
def vendor(tmp_path: Path) -> SimulatedProvider:
    """A vendor that takes twenty examples and no more."""
    return SimulatedProvider.at(tmp_path / "vendor", maximum_examples=20)


async def compiled(client: httpx.AsyncClient, ref: str = "echo", **changes: object) -> Json:
    """The verdict."""
    answer = await client.post(f"/datasets/{ref}/compile", json=TARGET | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_verdict_tells_what_would_be_sent(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    content = (await idle_client.get("/datasets/echo/content")).content

    verdict = await compiled(idle_client)

    assert (verdict["ok"], verdict["examples"]) == (True, 12)
    assert verdict["sha256"] == hashlib.sha256(content).hexdigest()
    assert verdict["bytes"] == len(content)
    assert 12 * verdict["longest_example"] >= verdict["tokens"] > 12
    assert not verdict["token_measure"]["exact"]
    assert "20 %" in verdict["token_measure"]["error"]


async def test_the_same_content_gets_the_same_verdict(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)

    assert await compiled(idle_client) == await compiled(idle_client)


async def test_too_few_and_too_many_examples_are_told(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "small", rows(3))
    await dataset(idle_client, "large", rows(30))

    small, large = [await compiled(idle_client, name) for name in ("small", "large")]

    assert [fault["code"] for fault in small["errors"]] == ["too_few_examples"]
    assert [fault["code"] for fault in large["errors"]] == ["too_many_examples"]
    assert not small["ok"]
    assert not large["ok"]


async def test_a_job_needs_a_dataset_that_compiles(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "large", rows(30))

    problem = refused(
        await idle_client.post("/jobs", json=recipe(dataset="large")), 422, "dataset_unfit"
    )

    assert "20 are the most" in problem["errors"][0]["message"]
    assert problem["error_count"] == 1
    assert (await idle_client.get("/jobs")).json()["data"] == []


async def test_how_many_may_train_is_no_limit_for_validation(
    idle_client: httpx.AsyncClient,
) -> None:
    await dataset(idle_client)
    await dataset(idle_client, "large", rows(30))

    queued = created(await idle_client.post("/jobs", json=recipe(validation_dataset="large")))

    assert queued["validation_dataset"]["name"] == "large"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"base_model": "none"}, "base_model_unknown"),
        ({"method": {"type": "rft"}}, "method_not_supported"),
        ({"method": {"type": "dpo"}}, "dataset_kind_unfit"),
        ({"method": {"hyperparameters": {"epochs": 0}}}, "hyperparameters_invalid"),
    ],
)
async def test_a_recipe_that_cannot_be_is_refused(
    idle_client: httpx.AsyncClient, changes: Json, code: str
) -> None:
    await dataset(idle_client)

    refused(await idle_client.post("/datasets/echo/compile", json=TARGET | changes), 422, code)


async def test_compiling_creates_nothing(
    idle_client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    await dataset(idle_client)

    await compiled(idle_client)

    assert vendor.created() == []
    created_here = await idle_client.post("/jobs", json=recipe())
    assert created(created_here)["status"] == "queued"
