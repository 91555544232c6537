"""A database that restarts, fails over, or has no room: 503 meanwhile, and nothing half written."""

import asyncio
import resource
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import httpx
import pytest

from app.domain.errors import DatabaseUnavailable
from app.storage.database import Database
from tests import databases
from tests.api.given import pause
from tests.crash.following import add_dataset, finished, queue_job
from tests.own_postgres import Postgres
from tests.simulated.simulated_provider import SimulatedProvider

MB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Generator[Postgres]:
    """One for this module, with the template of its databases."""
    folder = Path(tempfile.mkdtemp(prefix="luthier-test-postgres-"))
    server = Postgres(folder)
    databases.prepare_template(server.url)
    yield server
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_url(server: Postgres) -> AsyncGenerator[str]:
    """A database of its own on the server that fails."""
    async with databases.postgres_database(server.url) as url:
        yield url


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """What the house of these tests works on."""
    return request.getfixturevalue("postgres_url")


async def test_jobs_go_on_where_they_were_once_the_server_is_back(
    client: httpx.AsyncClient, server: Postgres, vendor: SimulatedProvider
) -> None:
    await add_dataset(client)
    jobs = [await queue_job(client) for _ in range(20)]
    await asyncio.to_thread(server.stop)

    refusals = [await client.get("/jobs"), await client.post("/jobs", json=order())]
    ready, alive = await client.get("/readyz"), await client.get("/healthz")
    await asyncio.to_thread(server.start)

    for refusal in refusals:
        assert (refusal.status_code, refusal.json()["code"]) == (503, "database_unavailable")
        assert int(refusal.headers["Retry-After"]) > 0
    assert (ready.status_code, alive.status_code) == (503, 200)
    for job in jobs:
        seen = await finished(client, job)
        assert (seen["status"], len(seen["attempts"])) == ("succeeded", 1)
    assert len({job["key"] for job in vendor.created()}) == len(vendor.created()) == 20


async def test_a_failover_refuses_writes_for_its_moment_and_answers_what_is_read(
    client: httpx.AsyncClient, server: Postgres
) -> None:
    await add_dataset(client)
    server.order("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    while (refused := await client.post("/jobs", json=order())).status_code == 201:
        pass
    read = await client.get("/jobs")
    server.order(
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    )
    while (taken := await client.post("/jobs", json=order())).status_code != 201:
        await pause()

    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert read.status_code == 200
    assert (await finished(client, taken.json()["id"]))["status"] == "succeeded"


async def test_a_full_disk_of_the_database_keeps_nothing_of_a_request(
    client: httpx.AsyncClient, server: Postgres, postgres_url: str
) -> None:
    await add_dataset(client)
    name = postgres_url.rpartition("/")[2].partition("?")[0]
    server.order(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER full_disk AFTER INSERT ON job_events EXECUTE FUNCTION full_disk()",
        database=name,
    )
    once = {"Idempotency-Key": "once"}
    refused = await client.post("/jobs", json=order(), headers=once)
    kept = (await client.get("/jobs")).json()["data"]
    server.order("DROP TRIGGER full_disk ON job_events", database=name)
    taken = await client.post("/jobs", json=order(), headers=once)

    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert kept == []
    assert (await finished(client, taken.json()["id"]))["status"] == "succeeded"


async def test_a_deed_that_cannot_be_written_down_is_answered_when_it_can(
    client: httpx.AsyncClient, server: Postgres, postgres_url: str
) -> None:
    await add_dataset(client)
    name = postgres_url.rpartition("/")[2].partition("?")[0]
    server.order(
        "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'no connection' USING ERRCODE = 'connection_failure'; END $$",
        "CREATE TRIGGER gone BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION gone()",
        database=name,
    )
    once = {"Idempotency-Key": "once"}
    refused = await client.post("/jobs", json=order(), headers=once)
    server.order("DROP TRIGGER gone ON audit", database=name)
    taken = await client.post("/jobs", json=order(), headers=once)

    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert (taken.status_code, taken.headers["Idempotent-Replayed"]) == (201, "true")
    assert len((await client.get("/jobs")).json()["data"]) == 1


async def test_a_full_pool_is_a_database_that_does_not_answer(postgres_url: str) -> None:
    database = Database(postgres_url, pool=1, pool_wait=0.01)
    async with database.write():
        with pytest.raises(DatabaseUnavailable):
            await database.write().__aenter__()
    await database.dispose()


async def test_an_embedded_database_that_may_not_grow_refuses_and_keeps_what_it_has(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'small.db'}", connect=small)
    await write(database, "CREATE TABLE letters (text TEXT)")
    with pytest.raises(DatabaseUnavailable):
        await write(
            database,
            "INSERT INTO letters VALUES ('a')",
            "INSERT INTO letters VALUES (zeroblob(1000000))",
        )
    async with database.read() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM letters")).all()
    await database.dispose()

    assert rows == []


async def test_an_upload_that_the_disk_has_no_room_for_is_refused_whole(
    client: httpx.AsyncClient,
) -> None:
    row = b'{"prompt": "a", "completion": "' + b"b" * 1000 + b'"}\n'
    with small_files(4 * MB):
        answers = [
            await client.post(
                path, data=fields, files={"file": ("rows.jsonl", row * 8000, "application/jsonl")}
            )
            for path, fields in (
                ("/datasets", {"name": "large"}),
                ("/openai/v1/files", {"purpose": "fine-tune"}),
            )
        ]
    found = (await client.get("/datasets")).json()["data"]

    native, door = answers
    assert (native.status_code, native.json()["code"]) == (503, "storage_full")
    assert (door.status_code, door.json()["error"]["code"]) == (503, "storage_full")
    assert native.headers["Retry-After"] == door.headers["Retry-After"]
    assert found == []


def order() -> dict[str, Any]:
    """A job on the dataset that `add_dataset` makes."""
    return {"provider": "simulated", "base_model": "sim-base", "dataset": "echo"}


async def write(database: Database, *statements: str) -> None:
    """All in one transaction."""
    async with database.write() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def small(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """A connection to a database that may have twenty pages."""
    connection = await aiosqlite.connect(*arguments, **options)
    await connection.execute("PRAGMA max_page_count = 20")
    return connection


@contextmanager
def small_files(most: int) -> Generator[None]:
    """A disk on which no file may grow beyond this, in bytes, as far as this process can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
