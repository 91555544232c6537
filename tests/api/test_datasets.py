"""Datasets that are there: listing, reading, downloading, removing."""

import hashlib
from pathlib import Path

import httpx
import pytest

from tests.api.expect import pages, refused, stored_files
from tests.api.given import dataset, ended, job, rows
from tests.api.vendors import PatientVendor


@pytest.fixture
def vendor(tmp_path: Path) -> PatientVendor:
    """A vendor whose trainings go on until the test ends them."""
    return PatientVendor(tmp_path / "vendor")


async def test_lists_go_from_new_to_old_page_by_page(idle_client: httpx.AsyncClient) -> None:
    stored = [await dataset(idle_client, f"set-{number}", rows(1)) for number in range(5)]
    found = await pages(idle_client, "/datasets", limit="2")
    newest_first = sorted(stored, key=lambda one: one["id"], reverse=True)
    assert found == [newest_first[:2], newest_first[2:4], newest_first[4:]]


async def test_a_list_may_be_of_one_name(idle_client: httpx.AsyncClient) -> None:
    versions = [await dataset(idle_client, "wanted", rows(count)) for count in (1, 2)]
    await dataset(idle_client, "other")
    [page] = await pages(idle_client, "/datasets", name="wanted")
    assert {one["id"] for one in page} == {one["id"] for one in versions}


@pytest.mark.parametrize("asked", ["limit=0", "limit=201", "limit=two", "cursor=page-2"])
async def test_a_list_refuses_what_it_cannot_read(
    idle_client: httpx.AsyncClient, asked: str
) -> None:
    code = "cursor_invalid" if "cursor" in asked else "invalid_request"
    refused(await idle_client.get(f"/datasets?{asked}"), 422, code)


async def test_examples_are_read_by_line(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, "echo", rows(3))
    first, second = await pages(idle_client, "/datasets/echo/examples", limit="2")
    assert [row["line"] for row in [*first, *second]] == [1, 2, 3]
    assert second[0]["example"] == {
        "messages": [
            {"role": "user", "content": "say 2"},
            {"role": "assistant", "content": "say 2"},
        ]
    }
    answer = await idle_client.get("/datasets/echo/examples?cursor=-1")
    refused(answer, 422, "cursor_invalid")


async def test_a_download_is_what_was_hashed(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client)
    answer = await idle_client.get("/datasets/echo/content")
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="echo-1.jsonl"'
    assert len(answer.content) == stored["bytes"]
    assert answer.content.count(b"\n") == stored["examples"]
    assert hashlib.sha256(answer.content).hexdigest() == stored["sha256"]


async def test_a_download_comes_in_again_as_the_same_content(
    idle_client: httpx.AsyncClient,
) -> None:
    stored = await dataset(idle_client)
    content = (await idle_client.get("/datasets/echo/content")).content
    again = await idle_client.post("/datasets", data={"name": "echo"}, files={"file": content})
    assert (again.status_code, again.json()) == (200, stored)


@pytest.mark.parametrize(
    "reference", ["nothing", "echo@2", "echo@0", "echo@", "@1", "ds_none", "a%00b", "ds_%00", "%20"]
)
async def test_what_is_not_there_is_not_found(
    idle_client: httpx.AsyncClient, reference: str
) -> None:
    await dataset(idle_client)
    for path in ("", "/examples", "/content"):
        answer = await idle_client.get(f"/datasets/{reference}{path}")
        refused(answer, 404, "dataset_not_found")
    refused(await idle_client.delete(f"/datasets/{reference}"), 404, "dataset_not_found")


async def test_a_removed_dataset_leaves_no_file(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    stored = await dataset(idle_client)
    assert len(stored_files(tmp_path)) == 1
    gone = await idle_client.delete(f"/datasets/{stored['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    refused(await idle_client.get(f"/datasets/{stored['id']}"), 404, "dataset_not_found")
    assert stored_files(tmp_path) == []


async def test_what_a_job_needs_is_not_removed_before_its_end(
    client: httpx.AsyncClient, vendor: PatientVendor
) -> None:
    for name in ("echo", "held-out", "test"):
        await dataset(client, name)
    wanted = {"validation_dataset": "held-out", "evaluate": {"dataset": "test"}}
    started = await job(client, **wanted)
    for name in ("echo", "held-out", "test"):
        problem = refused(await client.delete(f"/datasets/{name}"), 409, "dataset_in_use")
        assert started["id"] in problem["detail"]
    await client.post(f"/jobs/{started['id']}/cancel")
    await ended(client, started)
    assert (await client.delete("/datasets/echo")).status_code == 204
