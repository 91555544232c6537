"""Deployments: wished for, carried out once, paid for by the hour, and ended when nobody asks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app import bootstrap
from app.bootstrap import House
from app.domain.hosting import HOUR
from app.reconciler import deploy
from app.settings import Settings
from app.storage.base import database_now
from app.storage.hosting import HostingRow
from tests.api.expect import refused
from tests.api.given import Json
from tests.reconciling import shop_of, tuned_at_rest
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider


async def wish(client: httpx.AsyncClient, model: str, verb: str = "deploy", **body: Any) -> Json:
    """The answer to a wish that was taken."""
    answer = await client.post(f"/models/{model}/{verb}", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def tick(house: House) -> None:
    """Let everything that is wished for be due, and look at it."""
    async with house.database.write() as connection:
        await connection.execute(update(HostingRow).values(next_at=database_now()))
    await deploy.tick(shop_of(house), "simulated")


async def hours_pass(house: House, hours: float) -> None:
    """Everything that happened to deployments lies so much further back."""
    back = {
        name: getattr(HostingRow, name) - int(hours * HOUR)
        for name in ("wished_at", "since", "seen_at", "used_at")
    }
    async with house.database.write() as connection:
        await connection.execute(update(HostingRow).values(**back))


async def seen(client: httpx.AsyncClient, model: str) -> Json:
    """The model's deployment as it is told."""
    return (await client.get(f"/models/{model}")).json()["deployment"]


async def told(client: httpx.AsyncClient) -> list[tuple[str, Mapping[str, Any]]]:
    """What was told of models."""
    found = (await client.get("/events?type=model.*")).json()["data"]
    return [(one["type"], one["data"]) for one in found]


async def hosting_lines(client: httpx.AsyncClient) -> list[Json]:
    """The ledger's lines on hosting, newest first."""
    lines = (await client.get("/ledger")).json()["data"]
    return [line for line in lines if line["kind"] == "hosting"]


async def ask(client: httpx.AsyncClient, model: str) -> None:
    """One question."""
    body = {"messages": [{"role": "user", "content": "well?"}]}
    assert (await client.post(f"/models/{model}/chat/completions", json=body)).is_success


async def test_a_model_is_deployed_as_it_was_wished(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    assert await seen(idle_client, model) is None
    wished = await wish(idle_client, model, tier="fast", ttl_hours=8)
    assert (wished["desired"], wished["state"]) == ("deployed", "queued")
    assert vendor.deployed() == []
    for _ in range(3):
        await tick(house)
    there = await seen(idle_client, model)
    assert (there["state"], there["tier"], there["usd_per_hour"]) == ("ready", "fast", "1.70")
    assert there["expires_at"] > there["since"]
    assert [one.split()[1] for one in vendor.deployed()] == ["fast"]
    assert [type_ for type_, _ in await told(idle_client)] == ["model.deployed"]


async def test_an_alias_deploys_what_it_means(idle_client: httpx.AsyncClient, house: House) -> None:
    model = await tuned_at_rest(idle_client, house)
    await idle_client.put("/aliases/prod", json={"model": model})
    assert (await wish(idle_client, "prod"))["model"] == model


async def test_hours_are_paid_for_as_long_as_it_is_there(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    model = await tuned_at_rest(idle_client, house, tags={"team": "care"})
    await wish(idle_client, model, ttl_hours=100)
    await tick(house)
    await hours_pass(house, 10)
    await tick(house)
    # The clock was moved, and with it the beginning that names the line: the newest counts.
    line, *_ = await hosting_lines(idle_client)
    assert (line["model"], line["tags"], line["quoted_usd"]) == (model, {"team": "care"}, "170.00")
    assert float(line["actual_usd"]) == pytest.approx(17.0, abs=0.01)
    await wish(idle_client, model, "undeploy")
    await tick(house)
    await hours_pass(house, 10)
    await tick(house)
    line, *_ = await hosting_lines(idle_client)
    assert float(line["actual_usd"]) == pytest.approx(17.0, abs=0.01)


@pytest.mark.parametrize("limit", ["ttl", "idle"])
async def test_a_deployment_whose_time_is_over_goes(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider, limit: str
) -> None:
    model = await tuned_at_rest(idle_client, house)
    hours: Json = {f"{limit}_hours": 2}
    await wish(idle_client, model, **hours)
    await tick(house)
    await hours_pass(house, 1)
    await ask(idle_client, model)
    await hours_pass(house, 1.5)
    await tick(house)
    if limit == "idle":
        assert (await seen(idle_client, model))["state"] == "ready"
        await hours_pass(house, 1)
        await tick(house)
    gone = await seen(idle_client, model)
    assert (gone["desired"], gone["state"], gone["detail"]) == ("removed", "removed", limit)
    assert (await told(idle_client))[-1][1]["reason"] == limit
    await tick(house)
    assert len(vendor.deployed()) == 1


async def test_what_the_vendor_removed_is_deployed_again_and_told(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await wish(idle_client, model)
    await tick(house)
    vendor.lose_deployments()
    await tick(house)
    assert (await seen(idle_client, model))["state"] == "ready"
    assert len(vendor.deployed()) == 2
    assert [type_ for type_, _ in await told(idle_client)] == [
        "model.deployed",
        "model.deployment_lost",
    ]


async def test_what_the_vendor_removed_stays_away_once_it_is_idle(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await wish(idle_client, model, idle_hours=2)
    await tick(house)
    vendor.lose_deployments()
    await hours_pass(house, 3)
    await tick(house)
    assert (await seen(idle_client, model))["state"] == "removed"
    assert len(vendor.deployed()) == 1


async def test_reading_deploys_nothing(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await idle_client.get(f"/models/{model}")
    await idle_client.get("/models")
    await ask(idle_client, model)
    await tick(house)
    assert vendor.deployed() == []


async def test_an_undeployed_model_is_made_sure_of(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await vendor.deploy(f"tuned-{vendor.created()[0]['id']}")
    await wish(idle_client, model, "undeploy")
    await tick(house)
    assert (await seen(idle_client, model))["state"] == "removed"
    assert await vendor.deployment(f"tuned-{vendor.created()[0]['id']}") is None


async def test_a_deployed_model_is_not_deleted(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await wish(idle_client, model)
    refused(await idle_client.delete(f"/models/{model}"), 409, "model_in_use")
    await wish(idle_client, model, "undeploy")
    await tick(house)
    assert (await idle_client.delete(f"/models/{model}")).status_code == 204


async def test_a_vendor_that_refuses_is_asked_again_only_by_a_new_wish(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await wish(idle_client, model)
    vendor.order("deploy", "refuse")
    await deploy.tick(shop_of(house), "simulated")
    failed = await seen(idle_client, model)
    assert (failed["state"], failed["detail"]) == ("failed", "The vendor refuses.")
    assert await deploy.tick(shop_of(house), "simulated") == 0
    await wish(idle_client, model)
    await deploy.tick(shop_of(house), "simulated")
    assert (await seen(idle_client, model))["state"] == "ready"


async def test_a_lost_answer_makes_no_second_deployment(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await wish(idle_client, model)
    vendor.order("deploy-done", "lose")
    for _ in range(2):
        await tick(house)
    assert (await seen(idle_client, model))["state"] == "ready"
    assert len(vendor.deployed()) == 1


async def test_a_new_wish_overtakes_a_look_that_is_under_way(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    model = await tuned_at_rest(idle_client, house)
    await wish(idle_client, model)
    shop = shop_of(house)
    async with house.database.write() as connection:
        [(claimed, _)] = await deploy.hosting.claim(
            connection, provider="simulated", owner="other", limit=1
        )
    await wish(idle_client, model, "undeploy")
    late = deploy.after_refusal(claimed, "Too late.")
    async with house.database.write() as connection:
        assert not await deploy.hosting.apply(connection, claimed, late)
    await deploy.tick(shop, "simulated")
    assert (await seen(idle_client, model))["state"] == "removed"


@pytest.mark.parametrize("body", [{"ttl_hours": 0}, {"idle_hours": -1}, {"days": 1}])
async def test_a_wish_that_makes_no_sense_is_refused(
    idle_client: httpx.AsyncClient, body: Json
) -> None:
    answer = await idle_client.post("/models/model_none/deploy", json=body)
    refused(answer, 422, "invalid_request")
    refused(await idle_client.post("/models/model_none/deploy", json={}), 404, "model_not_found")
    refused(await idle_client.post("/models/model_none/undeploy"), 404, "model_not_found")


async def test_where_nothing_is_deployed_the_wish_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    class Answering:
        """A vendor whose models answer without: all but the three verbs of deploying."""

        def __init__(self, vendor: SimulatedProvider) -> None:
            self._vendor = vendor

        def __getattr__(self, name: str) -> Any:
            if name in ("deploy", "undeploy", "deployment"):
                raise AttributeError(name)
            return getattr(self._vendor, name)

    vendor: Any = Answering(SimulatedProvider.at(tmp_path / "vendor"))
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    house = bootstrap.build(settings, providers={"simulated": vendor})
    async with api(house, reconcile=False) as client:
        model = await tuned_at_rest(client, house)
        for verb in ("deploy", "undeploy"):
            answer = await client.post(f"/models/{model}/{verb}", json={})
            refused(answer, 409, "operation_not_supported")
        assert await deploy.tick(shop_of(house), "simulated") == 0
