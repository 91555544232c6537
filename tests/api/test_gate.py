"""The gate: this machine only without a key, the key only with one; and what stays open."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app import bootstrap
from app.settings import Settings
from app.storage.database import embedded_url
from tests.api.expect import refused
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

KEY = "a-key-of-this-test"


@pytest.fixture
async def locked_client(
    migrated_sqlite: Path, tmp_path: Path, vendor: SimulatedProvider
) -> AsyncGenerator[httpx.AsyncClient]:
    """A service with a key."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=embedded_url(migrated_sqlite.parent),
        admin_key=SecretStr(KEY),
    )
    house = bootstrap.build(settings, providers={"simulated": vendor})
    async with api(house, reconcile=False) as client:
        yield client


LOCAL = ["localhost", "localhost:8000", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000", "LOCALHOST"]
FOREIGN = ["example.com", "localhost.example.com", "10.0.0.1", "[::2]", "[::1", "0.0.0.0", ""]
HERE = ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"]
ELSEWHERE = ["https://example.com", "null", "http://localhost.example.com", "http://[", "file://"]


async def test_without_a_key_this_machine_is_served(idle_client: httpx.AsyncClient) -> None:
    for host in LOCAL:
        assert (await idle_client.get("/jobs", headers={"Host": host})).status_code == 200
    for origin in HERE:
        assert (await idle_client.get("/jobs", headers={"Origin": origin})).status_code == 200


async def test_without_a_key_others_are_not_served(idle_client: httpx.AsyncClient) -> None:
    for host in FOREIGN:
        refused(await idle_client.get("/jobs", headers={"Host": host}), 403, "forbidden")
    for origin in ELSEWHERE:
        for answer in (
            await idle_client.get("/jobs", headers={"Origin": origin}),
            await idle_client.post("/jobs/x/cancel", headers={"Origin": origin}),
        ):
            refused(answer, 403, "forbidden")


async def test_webhooks_need_no_key_for_vendors_sign(
    idle_client: httpx.AsyncClient, locked_client: httpx.AsyncClient
) -> None:
    far = {"Host": "example.com"}
    for client, status, code in (
        (idle_client, 403, "forbidden"),
        (locked_client, 401, "unauthorized"),
    ):
        sent = await client.post("/providers/none/webhooks", headers=far)
        refused(sent, 404, "provider_not_found")
        refused(await client.get("/providers/none/webhooks", headers=far), status, code)


async def test_with_a_key_only_the_key_opens(locked_client: httpx.AsyncClient) -> None:
    wrong = ["", "Bearer", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", KEY, "Bearer é"]
    for given in wrong:
        sent = {b"authorization": given.encode()}
        answer = await locked_client.get("/jobs", headers=sent)
        refused(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    refused(await locked_client.get("/jobs"), 401, "unauthorized")
    for given in (f"Bearer {KEY}", f"bearer  {KEY}"):
        answer = await locked_client.get("/jobs", headers={"Authorization": given})
        assert answer.status_code == 200


async def test_with_a_key_any_host_may_ask(locked_client: httpx.AsyncClient) -> None:
    sent = {"Authorization": f"Bearer {KEY}", "Host": "tune.example.com"}
    assert (await locked_client.get("/jobs", headers=sent)).status_code == 200


@pytest.mark.parametrize("path", ["/jobs", "/docs/x/y", "/docsx", "/nothing", "/healthz/"])
async def test_nothing_else_is_open(locked_client: httpx.AsyncClient, path: str) -> None:
    refused(await locked_client.get(path), 401, "unauthorized")


async def test_machines_may_ask_for_health_without_a_key(
    locked_client: httpx.AsyncClient,
) -> None:
    assert (await locked_client.get("/healthz")).json() == {"status": "ok"}
    ready = await locked_client.get("/readyz", headers={"Host": "10.0.0.1"})
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert (await locked_client.get("/metrics")).status_code == 200


async def test_an_unmigrated_database_is_not_ready(
    tmp_path: Path, vendor: SimulatedProvider
) -> None:
    house = bootstrap.build(Settings(data_dir=tmp_path), providers={"simulated": vendor})
    async with api(house, reconcile=False) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert "luthier migrate" in answer.json()["checks"]["database"]
        assert (await client.get("/healthz")).status_code == 200


async def test_a_service_that_ends_is_not_ready(idle_client: httpx.AsyncClient) -> None:
    assert (await idle_client.get("/readyz")).json()["checks"] == {
        "service": "ok",
        "database": "ok",
    }
