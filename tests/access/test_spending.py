"""Spend limits: of a key and of its project, also for two who come at once."""

import asyncio

import httpx

from tests.access.given import bearing, key, new_key, other_project
from tests.api.expect import refused
from tests.api.given import Json, created, dataset, recipe

METHOD = {"method": {"hyperparameters": {"epochs": 4}}}
"""What is quoted at two cents."""


async def begin(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    """The answer to the wish for a job of two cents."""
    return await client.post("/jobs", json=recipe(**METHOD), headers=headers)


async def test_a_key_spends_no_more_than_it_may(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    limited = await key(idle_client, spend_limit_usd="0.05")

    for _ in range(2):
        assert created(await begin(idle_client, limited))["cost"]["quoted_usd"] == "0.02"

    refused(await begin(idle_client, limited), 409, "spend_limit_reached")
    created(await begin(idle_client, await key(idle_client)))


async def test_a_project_spends_no_more_than_it_may(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    created(await begin(idle_client, {}))
    limited = await idle_client.patch("/projects/default", json={"spend_limit_usd": "0.03"})
    assert limited.json()["spend_limit_usd"] == "0.03"

    refused(await begin(idle_client, {}), 409, "spend_limit_reached")

    account = (await idle_client.get("/projects/default")).json()
    assert account["committed_usd"] == "0.02"


async def test_of_two_at_once_one_is_refused(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    limited = await key(idle_client, spend_limit_usd="0.03")

    answers = await asyncio.gather(*(begin(idle_client, limited) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_what_came_to_nothing_counts_for_nothing(client: httpx.AsyncClient) -> None:
    await dataset(client)
    limited = await key(client, spend_limit_usd="0.03")
    begun = created(await begin(client, limited))

    await client.post(f"/jobs/{begun['id']}/cancel", headers=limited)
    await _until_final(client, begun)

    created(await begin(client, limited))


async def test_another_project_s_spending_is_its_own(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    created(await begin(idle_client, {}))
    await other_project(idle_client)
    theirs = bearing((await new_key(idle_client, project="other"))["secret"])

    account = (await idle_client.get("/projects/other", headers=theirs)).json()

    assert account["committed_usd"] in ("0", "0.00")


async def _until_final(client: httpx.AsyncClient, job: Json) -> None:
    while job["finished_at"] is None:
        seen = await client.get(f"/jobs/{job['id']}", params={"wait": 5})
        job = seen.json()
