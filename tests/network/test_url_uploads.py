"""Datasets by URL, over HTTP: stored as if the file had been uploaded, or not at all."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.expect import refused, stored_files
from tests.api.given import created, upload
from tests.network.hosts import Host, file, listening

CONTENT = b'{"prompt": "a", "completion": "b"}\n'
OTHER = b'{"prompt": "c", "completion": "d"}\n'
KEY = {"Idempotency-Key": "order-7"}


async def send(client: httpx.AsyncClient, host: Host, path: str = "/a", **body: Any) -> Any:
    """The answer to a dataset by URL."""
    wanted = {"name": "mine", "url": f"http://127.0.0.1:{host.port}{path}"} | body
    return await client.post("/datasets", json=wanted)


async def test_a_file_behind_a_url_becomes_a_dataset(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with listening({"/a?signed": file(gzip.compress(CONTENT))}) as host:
        stored = created(await send(idle_client, host, "/a?signed"))
        again = await send(idle_client, host, "/a?signed")
    assert (stored["name"], stored["version"], stored["examples"]) == ("mine", 1, 1)
    assert (again.status_code, again.json()) == (200, stored)
    by_hand = await upload(idle_client, CONTENT)
    assert (by_hand.status_code, by_hand.json()) == (200, stored)
    assert len(stored_files(tmp_path)) == 1


async def test_options_go_with_the_url(idle_client: httpx.AsyncClient) -> None:
    table = b"question;answer\na;b\nc\n"
    async with listening({"/a": file(table)}) as host:
        options: dict[str, Any] = {"format": "csv", "on_error": "skip"}
        options["columns"] = {"question": "prompt", "answer": "completion"}
        stored = created(await send(idle_client, host, **options))
    assert (stored["examples"], stored["rejected"]) == (1, 1)


REFUSALS = {
    "/wrong": (422, "dataset_invalid"),
    "/empty": (422, "dataset_empty"),
    "/large": (413, "upload_too_large"),
    "/endless": (413, "upload_too_large"),
    "/cut": (422, "url_unreachable"),
    "/gone": (422, "url_unreachable"),
    "/away": (422, "url_refused"),
}

SCRIPT = {
    "/wrong": file(b"nonsense"),
    "/empty": file(b""),
    "/large": file(CONTENT * 100),
    "/endless": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[b"88b8\r\n" + CONTENT * 1000 + b"\r\n"] * 1000,
    ],
    "/cut": [b"HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n", CONTENT],
    "/gone": [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
    "/away": [
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    ],
}


@pytest.mark.parametrize("path", REFUSALS)
async def test_what_is_refused_leaves_nothing(
    idle_client: httpx.AsyncClient, tmp_path: Path, path: str
) -> None:
    async with listening(SCRIPT) as host:
        refused(await send(idle_client, host, path), *REFUSALS[path])
        refused(await send(idle_client, host, path, on_error="skip"), *REFUSALS[path])
    assert stored_files(tmp_path) == []
    assert (await idle_client.get("/datasets")).json()["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": None},
        {"url": "", "examples": None},
        {"url": "https://a.example/", "examples": []},
        {"url": "https://a.example/", "format": "xlsx"},
        {"url": 7},
        {"examples": [{"prompt": "a", "completion": "b"}], "format": "csv"},
    ],
)
async def test_a_body_has_one_source(idle_client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await idle_client.post("/datasets", json={"name": "mine"} | body)
    refused(answer, 422, "invalid_request")


@pytest.mark.parametrize("url", ["s3://team/a", "file:///etc/passwd", "https://localhost:1/"])
async def test_a_refusal_does_not_repeat_the_url(idle_client: httpx.AsyncClient, url: str) -> None:
    answer = await idle_client.post("/datasets", json={"name": "mine", "url": f"{url}?secret"})
    assert answer.status_code == 422
    assert answer.json()["code"] in {"url_refused", "url_unreachable"}
    assert "secret" not in answer.text


async def test_a_key_gives_the_first_answer_without_another_download(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with listening({"/a": file(CONTENT), "/b": file(CONTENT)}) as host:
        body = {"name": "mine", "url": f"http://127.0.0.1:{host.port}/a"}
        first = await idle_client.post("/datasets", json=body, headers=KEY)
        host.script["/a"] = file(OTHER)
        again = await idle_client.post("/datasets", json=body, headers=KEY)
        body["url"] = body["url"].replace("/a", "/b")
        other = await idle_client.post("/datasets", json=body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    refused(other, 422, "idempotency_key_reused")
    assert (host.visits, len(stored_files(tmp_path))) == (1, 1)


async def test_one_key_at_once_creates_one(idle_client: httpx.AsyncClient) -> None:
    async with listening({"/a": file(CONTENT)}) as host:
        body = {"name": "mine", "url": f"http://127.0.0.1:{host.port}/a"}
        sent = [idle_client.post("/datasets", json=body, headers=KEY) for _ in range(10)]
        answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


async def test_new_content_behind_a_url_is_a_new_version(idle_client: httpx.AsyncClient) -> None:
    async with listening({"/a": file(CONTENT)}) as host:
        created(await send(idle_client, host))
        host.script["/a"] = file(OTHER)
        assert created(await send(idle_client, host))["version"] == 2
