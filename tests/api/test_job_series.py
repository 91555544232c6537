"""What a training tells of itself: metrics, checkpoints, logs."""

from pathlib import Path

import httpx
import pytest

from tests.api.expect import pages, refused
from tests.api.given import Json, dataset, ended, job
from tests.api.vendors import TalkativeVendor
from tests.simulated.simulated_provider import SimulatedOptions


@pytest.fixture
def vendor(tmp_path: Path) -> TalkativeVendor:
    """A vendor that tells more than the usual one."""
    return TalkativeVendor(SimulatedOptions(folder=tmp_path / "vendor", looks_until_done=4))


@pytest.fixture
async def done(client: httpx.AsyncClient) -> Json:
    """A job at its end."""
    await dataset(client)
    return await ended(client, await job(client))


async def test_metrics_are_a_series_by_step(client: httpx.AsyncClient, done: Json) -> None:
    listed = await pages(client, f"/jobs/{done['id']}/metrics", limit="2")
    points = [point for page in listed for point in page]
    assert [point["step"] for point in points] == [0, 1, 2, 3, 4]
    assert [point["values"]["loss"] for point in points] == [2.0, 0.75, 0.5, 0.25, 0.0]
    assert done["metrics"] == {"loss": 0.0}


async def test_checkpoints_are_listed_by_step(client: httpx.AsyncClient, done: Json) -> None:
    saved = (await client.get(f"/jobs/{done['id']}/checkpoints")).json()["data"]
    assert [(point["step"], point["name"]) for point in saved] == [
        (step, f"step-{step}") for step in (1, 2, 3, 4)
    ]


async def test_a_log_is_read_piece_by_piece_without_cutting_letters(
    client: httpx.AsyncClient, done: Json
) -> None:
    text, offset = "", 0
    while True:
        answer = await client.get(f"/jobs/{done['id']}/logs", params={"offset": offset})
        piece = answer.json()
        if not piece["text"]:
            break
        text, offset = text + piece["text"], piece["next_offset"]
    assert text.encode() == TalkativeVendor.LOG
    assert offset == len(TalkativeVendor.LOG)


async def test_a_job_that_was_never_submitted_has_told_nothing(
    idle_client: httpx.AsyncClient,
) -> None:
    await dataset(idle_client)
    path = f"/jobs/{(await job(idle_client))['id']}"
    assert (await idle_client.get(f"{path}/metrics")).json()["data"] == []
    assert (await idle_client.get(f"{path}/checkpoints")).json()["data"] == []
    assert (await idle_client.get(f"{path}/logs")).json() == {"text": "", "next_offset": 0}


@pytest.mark.parametrize(
    "asked", ["logs?offset=-1", "logs?offset=end", "metrics?limit=0", "metrics?limit=5001"]
)
async def test_places_that_do_not_exist_are_refused(client: httpx.AsyncClient, asked: str) -> None:
    refused(await client.get(f"/jobs/job_none/{asked}"), 422, "invalid_request")
