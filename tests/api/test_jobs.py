"""Reading jobs: lists with their filters, entity tags, waiting."""

import asyncio

import httpx
import psycopg
import pytest

from tests.api.expect import pages, refused
from tests.api.given import Json, dataset, ended, job

UNKNOWN = "job_00000000000000000000000000"

PATIENCE = 40
"""Less than the 60 seconds that a request offers to wait: who is not woken is found out."""


async def found(client: httpx.AsyncClient, **asked: str) -> set[str]:
    """The ids of a filtered list."""
    answer = await client.get("/jobs", params=asked)
    assert answer.status_code == 200, answer.text
    return {job["id"] for job in answer.json()["data"]}


@pytest.fixture
async def queued(idle_client: httpx.AsyncClient) -> Json:
    """A job that nobody works on."""
    await dataset(idle_client)
    return await job(idle_client, tags={"team": "care", "stage": "one:two"})


async def test_lists_go_from_new_to_old_page_by_page(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    made = [(await job(idle_client))["id"] for _ in range(5)]
    seen = await pages(idle_client, "/jobs", limit="2")
    assert [len(page) for page in seen] == [2, 2, 1]
    assert [one["id"] for page in seen for one in page] == sorted(made, reverse=True)


async def test_each_filter_narrows_the_list(idle_client: httpx.AsyncClient, queued: Json) -> None:
    other = await job(idle_client, tags={"team": "sales"})
    everyone = {queued["id"], other["id"]}
    assert await found(idle_client, status="queued") == everyone
    assert await found(idle_client, status="running") == set()
    assert await found(idle_client, provider="simulated") == everyone
    assert await found(idle_client, provider="elsewhere") == set()
    assert await found(idle_client, tag="team:care") == {queued["id"]}
    assert await found(idle_client, tag="stage:one:two") == {queued["id"]}
    assert await found(idle_client, tag="stage:") == set()
    assert await found(idle_client, created_after="2000-01-01T00:00:00Z") == everyone
    assert await found(idle_client, created_after="2999-01-01T00:00:00") == set()


@pytest.mark.parametrize("key", ["a.b", "a'b", "[0]", "0", "ключ", "$", "a/b", "%"])
async def test_a_tag_may_have_any_readable_name(idle_client: httpx.AsyncClient, key: str) -> None:
    await dataset(idle_client)
    tagged = await job(idle_client, tags={key: "yes"})
    assert await found(idle_client, tag=f"{key}:yes") == {tagged["id"]}
    assert await found(idle_client, tag=f"{key}:no") == set()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("status=done", "invalid_request"),
        ("tag=team", "invalid_request"),
        ('tag=a"b:c', "invalid_request"),
        ("tag=a\\b:c", "invalid_request"),
        ("created_after=yesterday", "invalid_request"),
        ("cursor=7", "cursor_invalid"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(
    idle_client: httpx.AsyncClient, asked: str, code: str
) -> None:
    refused(await idle_client.get(f"/jobs?{asked}"), 422, code)


@pytest.mark.parametrize("job_id", [UNKNOWN, "job_", "a%00b", "%20"])
async def test_a_job_that_does_not_exist_is_not_found(
    idle_client: httpx.AsyncClient, job_id: str
) -> None:
    for part in ("", "/events", "/metrics", "/checkpoints", "/logs"):
        refused(await idle_client.get(f"/jobs/{job_id}{part}"), 404, "job_not_found")
    for verb in ("cancel", "pause", "resume", "retry"):
        refused(await idle_client.post(f"/jobs/{job_id}/{verb}"), 404, "job_not_found")


async def test_a_known_state_is_not_sent_again(
    idle_client: httpx.AsyncClient, queued: Json
) -> None:
    first = await idle_client.get(f"/jobs/{queued['id']}")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await idle_client.get(first.url.path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await idle_client.post(f"/jobs/{queued['id']}/pause")
    changed = await idle_client.get(first.url.path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_waiting_ends_unchanged_when_the_time_is_up(
    idle_client: httpx.AsyncClient, queued: Json
) -> None:
    path = f"/jobs/{queued['id']}"
    waited = await idle_client.get(path, params={"wait": 0.3})
    assert (waited.status_code, waited.json()) == (200, queued)
    known = {"If-None-Match": waited.headers["etag"]}
    assert (await idle_client.get(path, params={"wait": 0.1}, headers=known)).status_code == 304


async def test_waiting_ends_with_a_change(idle_client: httpx.AsyncClient, queued: Json) -> None:
    path = f"/jobs/{queued['id']}"
    known = {"If-None-Match": (await idle_client.get(path)).headers["etag"]}
    waiting = asyncio.create_task(idle_client.get(path, params={"wait": 60}, headers=known))
    await idle_client.post(f"{path}/pause")
    async with asyncio.timeout(PATIENCE):
        assert (await waiting).json()["desired"] == "pause"


async def test_waiting_is_not_misled_by_what_was_seen_before(
    idle_client: httpx.AsyncClient, queued: Json
) -> None:
    path = f"/jobs/{queued['id']}"
    await idle_client.get(path, params={"wait": 0.6})
    await idle_client.post(f"{path}/pause")
    known = {"If-None-Match": (await idle_client.get(path)).headers["etag"]}
    waiting = asyncio.create_task(idle_client.get(path, params={"wait": 60}, headers=known))
    await idle_client.post(f"{path}/resume")
    assert (await waiting).status_code == 200


async def test_one_who_knows_an_old_state_does_not_wait(
    idle_client: httpx.AsyncClient, queued: Json
) -> None:
    known = {"If-None-Match": f'"{queued["id"]}.0"'}
    answer = await idle_client.get(f"/jobs/{queued['id']}", params={"wait": 60}, headers=known)
    assert answer.json() == queued


async def test_a_job_at_its_end_is_not_waited_for(client: httpx.AsyncClient) -> None:
    await dataset(client)
    done = await ended(client, await job(client))
    assert (await client.get(f"/jobs/{done['id']}", params={"wait": 60})).json() == done


@pytest.mark.parametrize("seconds", ["-1", "61", "nan", "soon"])
async def test_nobody_waits_for_ever(
    idle_client: httpx.AsyncClient, queued: Json, seconds: str
) -> None:
    answer = await idle_client.get(f"/jobs/{queued['id']}", params={"wait": seconds})
    refused(answer, 422, "invalid_request")


async def test_waiting_outlives_a_restart_of_the_database(
    idle_client: httpx.AsyncClient, queued: Json, database_url: str
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("an embedded database restarts with the service")
    path = f"/jobs/{queued['id']}"
    known = {"If-None-Match": (await idle_client.get(path)).headers["etag"]}
    waiting = asyncio.create_task(idle_client.get(path, params={"wait": 60}, headers=known))
    await idle_client.get(path, params={"wait": 0.3})
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    # While somebody waits the service looks at its database: it meets the closed connections.
    while (await idle_client.post(f"{path}/pause")).status_code == 503:
        continue
    async with asyncio.timeout(PATIENCE):
        assert (await waiting).json()["desired"] == "pause"
