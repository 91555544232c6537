"""The audit: every change and every refused one, by whom and to what; and nothing rewrites it."""

import csv
import io
import json
import re
from pathlib import Path

import httpx

from app.storage import audit
from tests.access.given import OTHER, bearing, key, new_key, other_project
from tests.api.given import created, dataset, recipe


async def test_a_change_is_written_down(idle_client: httpx.AsyncClient) -> None:
    made = await new_key(idle_client, name="nightly")
    by = bearing(made["secret"])
    await dataset(idle_client)

    job = created(await idle_client.post("/jobs", json=recipe(), headers=by))
    sent = await idle_client.post(f"/jobs/{job['id']}/cancel", headers=by)

    cancelled, begun = (await idle_client.get(f"/audit?key={made['id']}")).json()["data"]
    assert (begun["operation"], begun["object"], begun["status"]) == ("create_job", job["id"], 201)
    assert (begun["caller"], begun["role"]) == ("nightly", "developer")
    assert (cancelled["operation"], cancelled["object"]) == ("cancel_job", job["id"])
    assert cancelled["request_id"] == sent.headers["x-request-id"]
    assert cancelled["address"] == "127.0.0.1"


async def test_what_was_refused_is_written_down_with_its_code(
    idle_client: httpx.AsyncClient,
) -> None:
    viewer = await key(idle_client, "viewer")
    await idle_client.post("/jobs", json=recipe(), headers=viewer)
    await idle_client.post("/jobs", json=recipe(dataset="none"))
    await idle_client.post("/openai/v1/fine_tuning/jobs/none/cancel")

    lines = (await idle_client.get("/audit?limit=3")).json()["data"]

    assert [(line["status"], line["code"]) for line in lines] == [
        (404, "fine_tune_not_found"),
        (404, "dataset_not_found"),
        (403, "role_insufficient"),
    ]


async def test_reads_and_questions_are_not(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    await idle_client.get("/datasets/echo")
    await idle_client.post("/quotes", json={"dataset": "echo"})

    lines = (await idle_client.get("/audit")).json()["data"]

    assert [line["operation"] for line in lines] == ["create_dataset"]


async def test_no_secret_gets_into_it(idle_client: httpx.AsyncClient) -> None:
    made = await new_key(idle_client)
    rotated = (await idle_client.post(f"/keys/{made['id']}/rotate")).json()

    told = (await idle_client.get("/audit")).text

    assert made["id"] in told
    assert made["secret"] not in told
    assert rotated["secret"] not in told


async def test_it_is_exported_whole(idle_client: httpx.AsyncClient) -> None:
    for number in range(3):
        await dataset(idle_client, f"d{number}")

    table = await idle_client.get("/audit", headers={"Accept": "text/csv"})
    lines = await idle_client.get(
        "/audit?operation=create_dataset", headers={"Accept": "application/jsonl"}
    )

    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["operation"] for row in rows] == ["create_dataset"] * 3
    assert [json.loads(line)["status"] for line in lines.text.splitlines()] == [201] * 3
    assert len((await idle_client.get("/audit?limit=2")).json()["data"]) == 2


async def test_a_project_sees_its_own_lines(idle_client: httpx.AsyncClient) -> None:
    await other_project(idle_client)
    theirs = await key(idle_client, "admin", project=OTHER)
    await idle_client.post("/keys", json={"name": "a", "role": "viewer"}, headers=theirs)

    lines = (await idle_client.get("/audit", headers=theirs)).json()["data"]

    assert [line["operation"] for line in lines] == ["create_key"]


def test_no_statement_could_change_it() -> None:
    code = Path(audit.__file__).read_text()
    assert not re.search(r"\b(update|delete)\(", code)
    others = Path(audit.__file__).parents[1].rglob("*.py")
    assert [path for path in others if "AuditRow" in path.read_text()] == [Path(audit.__file__)]
