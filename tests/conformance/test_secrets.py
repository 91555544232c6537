"""What a provider signs in with is nowhere to be read: no answer, no log, no row, no `repr`."""

import logging

import pytest
from sqlalchemy import Connection, select
from structlog.testing import capture_logs

from app.storage import schema
from tests.conformance.service import Life, Service, remote_of
from tests.conformance.stage import VendorStage

ASKED = ("/jobs", "/models", "/providers", "/audit", "/ledger", "/events", "/metrics", "/readyz")


@pytest.fixture
def stage(vendor_stage: VendorStage) -> VendorStage:
    """Each provider of a vendor in turn."""
    return vendor_stage


@pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)
async def test_the_whole_service_keeps_the_credentials_to_itself(
    service: Service, stage: VendorStage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logged:
        async with service.life() as life:
            await _work(life, stage)
            shown = [*await _answers(life), *await _rows(life), repr(life.house)]

    shown += [str(logged), caplog.text]
    assert len(shown) > 30
    assert not [text for text in shown for secret in stage.secrets if secret in text]


async def _work(life: Life, stage: VendorStage) -> None:
    """A job that ends well, and one whose credentials are taken no more."""
    job = await life.tick(await life.create())
    stage.finish(remote_of(job))
    assert (await life.tick(job))["status"] == "succeeded"
    stage.expire_the_credentials()
    refused = await life.tick(await life.create())
    assert refused["status"] == "blocked"


async def _answers(life: Life) -> list[str]:
    jobs = (await life.client.get("/jobs")).json()["data"]
    paths = [*ASKED, f"/providers/{life.name}", *(f"/jobs/{job['id']}/events" for job in jobs)]
    return [(await life.client.get(path)).text for path in paths]


async def _rows(life: Life) -> list[str]:
    """Every row of every table."""

    def dumped(connection: Connection) -> list[str]:
        tables = schema.metadata.sorted_tables
        return [repr(row) for table in tables for row in connection.execute(select(table))]

    async with life.house.database.read() as connection:
        return await connection.run_sync(dumped)
