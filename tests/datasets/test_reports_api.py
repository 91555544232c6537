"""Reports over HTTP: queued with the dataset, computed by a chore, gone with the dataset."""

import asyncio

import httpx
from alembic import command

from app.bootstrap import House
from app.domain.datasets import DatasetKind
from app.domain.reporting.analysis import Analysis
from app.domain.reporting.findings import Report
from app.reconciler import report
from app.reconciler.work import Workshop
from app.storage import leases, migrating, reports
from app.storage.database import normalise
from app.storage.reports import ReportRow
from tests.api.expect import refused
from tests.api.given import Json, at_its_end, dataset, preferences, rows

PATH = "/datasets/echo/report"


def shop_of(house: House, owner: str = "test") -> Workshop:
    """The chores' place of work in a test's own hands."""
    return Workshop(house.database, house.blobs, house.providers, house.signals, owner)


async def test_a_report_is_queued_with_its_dataset(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client)
    seen = (await idle_client.get(PATH)).json()
    assert seen["dataset"] == stored
    assert (seen["status"], seen["report"], seen["next"], seen["error"]) == ("queued",) + (
        None,
    ) * 3
    assert seen["progress"] == {"examined": 0, "total": 12, "percent": 0.0}
    assert (seen["quantity"]["level"], seen["quantity"]["examples"]) == ("too_few", 12)
    assert (await idle_client.get(PATH)).json() == seen


async def test_the_chore_computes_it(idle_client: httpx.AsyncClient, house: House) -> None:
    await dataset(idle_client, examples=[*rows(5), {"prompt": "Key?", "completion": "[your key]"}])
    assert await report.tick(shop_of(house)) == 1
    assert await report.tick(shop_of(house)) == 0
    seen = (await idle_client.get(PATH)).json()
    assert (seen["status"], seen["progress"]["percent"]) == ("ready", 100.0)
    [finding] = seen["report"]["findings"]
    assert (finding["code"], finding["lines"]) == ("completions_boilerplate", [6])
    assert seen["next"] == finding["advice"]
    assert seen["finished_at"] is not None


async def test_a_service_at_work_reports_by_itself(client: httpx.AsyncClient) -> None:
    await dataset(client, "choices", preferences())
    seen = await ready(client, "/datasets/choices/report")
    assert (seen["report"]["examples"], seen["report"]["labels"]) == (12, None)


async def ready(client: httpx.AsyncClient, path: str) -> Json:
    """The report as soon as it is there."""
    return await at_its_end(client, path)


async def test_a_version_that_exists_keeps_its_report(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    await dataset(idle_client)
    await report.tick(shop_of(house))
    await idle_client.post("/datasets", json={"name": "echo", "examples": rows()})
    assert (await idle_client.get(PATH)).json()["status"] == "ready"


async def test_a_report_goes_with_its_dataset(idle_client: httpx.AsyncClient, house: House) -> None:
    await dataset(idle_client)
    assert (await idle_client.delete("/datasets/echo")).status_code == 204
    refused(await idle_client.get(PATH), 404, "dataset_not_found")
    assert await report.tick(shop_of(house)) == 0


async def test_a_stale_hand_tells_nothing(idle_client: httpx.AsyncClient, house: House) -> None:
    await dataset(idle_client)
    async with house.database.write() as connection:
        [stale] = await reports.claim(connection, owner="dead", limit=1)
        await leases.release_all(connection, ReportRow)
        [fresh] = await reports.claim(connection, owner="alive", limit=1)
        assert not await reports.note_progress(connection, stale, seen_in(3))
        assert await reports.note_progress(connection, fresh, seen_in(6))
    seen = (await idle_client.get(PATH)).json()
    assert (seen["status"], seen["progress"]["percent"]) == ("running", 50.0)
    assert (seen["report"]["examples"], seen["next"], seen["quantity"]["examples"]) == (6, None, 12)


def seen_in(count: int) -> Report:
    """What was found in so many rows."""
    analysis = Analysis(DatasetKind.CHAT)
    analysis.feed([b'{"messages":[{"role":"user","content":"a"}]}'] * count)
    return analysis.so_far()


async def test_the_report_counts_the_tokens_of_its_dataset(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    assert (await dataset(idle_client))["tokens"] is None
    await report.tick(shop_of(house))
    tokens = (await idle_client.get(PATH)).json()["report"]["tokens"]
    assert (await idle_client.get("/datasets/echo")).json()["tokens"] == tokens["total"] > 0
    assert (tokens["measure"]["name"], tokens["measure"]["exact"]) == ("estimate", False)


async def test_content_that_cannot_be_read_fails_the_report_in_the_end(
    idle_client: httpx.AsyncClient, house: House
) -> None:
    stored = await dataset(idle_client)
    await house.blobs.remove(stored["sha256"])
    for attempt in range(1, report.MAX_FAILURES + 1):
        await report.tick(shop_of(house))
        async with house.database.write() as connection:
            await leases.write_fenced(
                connection, ReportRow, id=stored["id"], epoch=attempt, values={"next_at": 1}
            )
    seen = (await idle_client.get(PATH)).json()
    assert (seen["status"], seen["error"]["code"]) == ("failed", "report_broke")


async def test_what_was_stored_before_there_were_reports_gets_one(
    idle_client: httpx.AsyncClient, house: House, database_url: str
) -> None:
    await dataset(idle_client)
    await house.database.dispose()
    config = migrating.alembic_config(normalise(database_url))
    await asyncio.to_thread(command.downgrade, config, "0001")
    await asyncio.to_thread(command.upgrade, config, "head")
    assert await report.tick(shop_of(house)) == 1
    assert (await idle_client.get(PATH)).json()["status"] == "ready"
