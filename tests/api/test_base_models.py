"""Base models: the catalogue, and the vendor's own list of models laid over it."""

from datetime import date

import httpx

from app.bootstrap import House
from app.domain.jobs import day_of
from app.domain.provider import ListedModel
from app.reconciler import radar, refresh
from app.storage import vendor_lists
from tests.api.expect import refused
from tests.api.given import Json, dataset, recipe
from tests.reconciling import shop_of
from tests.simulated.simulated_provider import SimulatedProvider

PATH = "/providers/simulated/base-models"
BASE = ListedModel(name="sim-base", serving_ends_at=date(2031, 5, 1))
SFT_ONLY = ListedModel(name="sim-sft-only", is_tunable=True)
NEW = ListedModel(name="sim-new", is_tunable=True)


async def refreshed(
    client: httpx.AsyncClient, vendor: SimulatedProvider, *models: ListedModel
) -> dict[str, Json]:
    """The base models by name once the vendor's list has been seen."""
    vendor.lists(*models)
    answer = await client.post("/providers/simulated/refresh")
    assert answer.status_code == 200, answer.text
    assert answer.json() == (await client.get(PATH)).json()
    return {base["name"]: base for base in answer.json()["data"]}


async def test_before_a_list_was_seen_the_catalogue_holds(idle_client: httpx.AsyncClient) -> None:
    shown = (await idle_client.get(PATH)).json()

    assert {base["state"] for base in shown["data"]} == {"unknown"}
    assert (shown["seen_at"], shown["problem"]) == (None, None)


async def test_the_vendors_dates_win(
    idle_client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    found = await refreshed(idle_client, vendor, BASE, SFT_ONLY)

    assert found["sim-base"]["state"] == "listed"
    assert found["sim-base"]["seen_at"] is not None
    assert found["sim-base"]["serving_ends_at"] == "2031-05-01"
    assert found["sim-base"]["prices"]


async def test_a_tunable_model_that_nobody_knew_is_offered_without_a_price(
    idle_client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    await dataset(idle_client)

    found = await refreshed(
        idle_client, vendor, BASE, SFT_ONLY, NEW, ListedModel(name="sim-voice", is_tunable=False)
    )
    created = await idle_client.post("/jobs", json=recipe(base_model="sim-new"))

    assert found.keys() == {"sim-base", "sim-sft-only", "sim-new"}
    assert created.status_code == 201, created.text
    assert created.json()["cost"]["quoted_usd"] is None
    chat = await idle_client.get("/openai/v1/models/simulated/sim-new")
    assert chat.status_code == 200


async def test_what_the_vendor_lists_no_more_is_refused_with_the_moment(
    idle_client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    await dataset(idle_client)
    await refreshed(idle_client, vendor, BASE, SFT_ONLY, NEW)

    found = await refreshed(idle_client, vendor, BASE)

    assert found["sim-new"]["state"] == found["sim-sft-only"]["state"] == "unlisted"
    for name in ("sim-sft-only", "sim-new"):
        answer = await idle_client.post("/jobs", json=recipe(base_model=name))
        problem = refused(answer, 422, "base_model_not_listed")
        assert "was seen on 20" in problem["detail"]
    quoted = await idle_client.post("/quotes", json={"dataset": "echo"})
    reasons = {row["base_model"]: row["reasons"] for row in quoted.json()["data"]}
    assert reasons["sim-base"] == []
    assert reasons["sim-new"][-1]["code"] == "base_model_not_listed"


async def test_what_the_vendor_does_not_tune_is_refused(
    idle_client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    await dataset(idle_client)

    found = await refreshed(idle_client, vendor, ListedModel(name="sim-base", is_tunable=False))

    assert found["sim-base"]["state"] == "not_tunable"
    answer = await idle_client.post("/jobs", json=recipe())
    assert "cannot be tuned" in refused(answer, 422, "base_model_not_listed")["detail"]


async def test_a_list_that_cannot_be_seen_leaves_the_one_before(
    idle_client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    await refreshed(idle_client, vendor, BASE, SFT_ONLY)
    for order in ("later", "lose"):
        vendor.order("list", order)
        refused(await idle_client.post("/providers/simulated/refresh"), 503, "provider_unavailable")

    shown = (await idle_client.get(PATH)).json()

    assert shown["problem"] is not None
    assert {base["state"] for base in shown["data"]} == {"listed"}


async def test_the_chore_asks_once_a_day_whoever_ticks(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    vendor.lists(BASE)

    asked = [await refresh.tick(shop_of(house), "simulated") for _ in range(3)]

    assert asked == [1, 0, 0]
    states = [base["state"] for base in (await idle_client.get(PATH)).json()["data"]]
    assert states == ["listed", "unlisted"]


async def test_a_vendor_that_does_not_answer_the_chore_is_asked_again_later(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    vendor.order("list", "lose")

    asked = [await refresh.tick(shop_of(house), "simulated") for _ in range(2)]

    assert asked == [0, 0]
    shown = (await idle_client.get(PATH)).json()
    assert "was lost" in shown["problem"]
    assert shown["seen_at"] is None


async def test_who_asked_last_is_believed(house: House) -> None:
    database = house.database
    async with database.write() as connection:
        first = await vendor_lists.take(connection, "simulated", owner="a")
    async with database.write() as connection:
        second = await vendor_lists.take(connection, "simulated", owner="b")

    for epoch, model in ((second, BASE), (first, SFT_ONLY)):
        async with database.write() as connection:
            await vendor_lists.keep(connection, "simulated", [model], epoch=epoch)

    async with database.read() as connection:
        kept = await vendor_lists.find(connection, "simulated")
    assert [model.name for model in kept.models] == ["sim-base"]
    await database.dispose()


async def test_the_radar_knows_the_vendors_dates(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    await idle_client.put("/aliases/prod", json={"model": "simulated/sim-base"})
    soon = day_of(await house.database.now() + 20 * 24 * 3600 * 1000)
    await refreshed(idle_client, vendor, ListedModel(name="sim-base", serving_ends_at=soon))

    assert await radar.tick(shop_of(house)) == 1
