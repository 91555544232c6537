"""Uploads that are too large, too long or broken off: refused in little memory, nothing left."""

import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import httpx
import pytest

from app import bootstrap
from app.bootstrap import House
from app.main import create_app
from app.settings import Settings
from tests.api.expect import refused, stored_files
from tests.api.given import rows
from tests.api.test_dataset_refusals import END, FORM, NAME
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

MIB = 1024 * 1024
OPENING = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


async def endless_line(mebibytes: int) -> AsyncIterator[bytes]:
    """A form with a file of one line, piece by piece."""
    yield NAME + OPENING + b'{"prompt": "'
    for _ in range(mebibytes):
        yield b"x" * MIB
    yield b'", "completion": "b"}\n{"prompt": "a", "completion": "b"}\r\n' + END


@pytest.fixture
async def strict_client(
    database_url: str, tmp_path: Path, vendor: SimulatedProvider
) -> AsyncGenerator[httpx.AsyncClient]:
    """A service that takes in files of 1,000 bytes at the most."""
    settings = Settings(data_dir=tmp_path, database_url=database_url, max_upload_bytes=1000)
    house = bootstrap.build(settings, providers={"simulated": vendor})
    async with api(house, reconcile=False) as client:
        yield client


async def test_an_endless_line_is_read_past_without_being_kept(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    tracemalloc.start()
    try:
        answer = await idle_client.post("/datasets", content=endless_line(1024), headers=FORM)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    problem = refused(answer, 422, "dataset_invalid")
    assert [(fault["line"], fault["code"]) for fault in problem["errors"]] == [(1, "line_too_long")]
    assert peak < 100 * MIB
    assert stored_files(tmp_path) == []


async def test_a_file_over_the_limit_is_refused(
    strict_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    answer = await strict_client.post("/datasets", content=endless_line(1), headers=FORM)
    assert "1000 bytes" in refused(answer, 413, "upload_too_large")["detail"]
    assert stored_files(tmp_path) == []


async def test_examples_in_json_obey_the_same_limit(
    strict_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    answer = await strict_client.post("/datasets", json={"name": "mine", "examples": rows(100)})
    refused(answer, 413, "upload_too_large")
    assert stored_files(tmp_path) == []


async def test_a_json_body_has_a_limit_of_its_own(idle_client: httpx.AsyncClient) -> None:
    body = b'{"name": "mine", "examples": [' + b" " * 33 * MIB
    answer = await idle_client.post(
        "/datasets", content=body, headers={"content-type": "application/json"}
    )
    assert "file" in refused(answer, 413, "upload_too_large")["detail"]


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(
    house: House, tmp_path: Path
) -> None:
    received: list[dict[str, object]] = [
        {"type": "http.request", "body": NAME + OPENING + b'{"prompt": "a"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return received.pop(0) if received else {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    app = create_app(house, reconcile=False)
    headers = [(b"host", b"localhost"), (b"content-type", FORM["content-type"].encode())]
    async with app.router.lifespan_context(app):
        await app(
            {
                "type": "http",
                "method": "POST",
                "path": "/datasets",
                "query_string": b"",
                "headers": headers,
            },
            receive,
            send,  # pyright: ignore[reportArgumentType]
        )
    assert sent == []
    assert stored_files(tmp_path) == []
