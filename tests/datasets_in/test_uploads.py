"""Uploads with options: odd names, rows set aside, files of every kind, over HTTP."""

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.expect import pointers, refused, stored_files
from tests.api.given import created, dataset
from tests.datasets_in.test_containers import FILES

Json = dict[str, Any]

GOOD = '{"prompt": "a", "completion": "b"}'
MIXED = f'{GOOD}\n{{"prompt": "a"}}\n{GOOD}\nnonsense \xff\n'.encode("latin-1")


async def send(client: httpx.AsyncClient, content: bytes, **fields: str) -> httpx.Response:
    """The answer to a form with a file."""
    return await client.post(
        "/datasets", data={"name": "mine"} | fields, files={"file": ("rows", content)}
    )


async def set_aside(client: httpx.AsyncClient, reference: str) -> list[Json]:
    """The rows that were set aside."""
    answer = await client.get(f"/datasets/{reference}/rejected")
    assert answer.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in answer.content.splitlines()]


@pytest.mark.parametrize("name", FILES)
async def test_files_of_every_kind_come_in(
    idle_client: httpx.AsyncClient, tmp_path: Path, name: str
) -> None:
    stored = created(await send(idle_client, gzip.compress(FILES[name])))
    assert (stored["examples"], stored["rejected"]) == (2, 0)
    again = await send(idle_client, FILES[name])
    assert (again.status_code, again.json()) == (200, stored)
    assert len(stored_files(tmp_path)) == 1


async def test_wrong_rows_are_set_aside_for_download(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    stored = created(await send(idle_client, MIXED, on_error="skip"))
    assert (stored["examples"], stored["rejected"]) == (2, 2)
    second, fourth = await set_aside(idle_client, "mine")
    assert (second["line"], second["code"], second["raw"]) == (2, "row_shape", '{"prompt": "a"}')
    assert (fourth["line"], fourth["code"], fourth["raw"]) == (4, "not_utf8", "nonsense \ufffd")
    assert fourth["raw_base64"] == "bm9uc2Vuc2Ug/w=="
    await idle_client.delete("/datasets/mine")
    assert stored_files(tmp_path) == []


async def test_nothing_was_set_aside(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    assert await set_aside(idle_client, "echo") == []
    refused(await idle_client.get("/datasets/none/rejected"), 404, "dataset_not_found")


async def test_a_later_upload_shows_what_was_set_aside_from_it(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    first = created(await send(idle_client, f"{GOOD}\n{GOOD}".encode()))
    again = await send(idle_client, MIXED, on_error="skip")
    assert (again.status_code, again.json()) == (200, first | {"rejected": 2})
    await send(idle_client, f"{GOOD}\n7\n{GOOD}".encode(), on_error="skip")
    assert [row["line"] for row in await set_aside(idle_client, first["id"])] == [2]
    assert len(stored_files(tmp_path)) == 2


async def test_a_file_with_no_good_row_is_refused(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    refused(await send(idle_client, b"7\n8", on_error="skip"), 422, "dataset_invalid")
    assert stored_files(tmp_path) == []


async def test_columns_are_mapped(idle_client: httpx.AsyncClient) -> None:
    columns = {"question": "prompt", "answer": "completion", "id": None}
    content = b"id,question,answer\n1,a,b\n"
    stored = created(await send(idle_client, content, columns=json.dumps(columns), format="csv"))
    body = {"name": "mine", "examples": [{"id": 1, "question": "a", "answer": "b"}]}
    again = await idle_client.post("/datasets", json=body | {"columns": columns})
    assert (again.status_code, again.json()) == (200, stored)


async def test_rows_in_json_are_set_aside_by_their_place(idle_client: httpx.AsyncClient) -> None:
    body = {"name": "mine", "examples": [json.loads(GOOD), {}], "on_error": "skip"}
    assert created(await idle_client.post("/datasets", json=body))["rejected"] == 1
    [row] = await set_aside(idle_client, "mine")
    assert (row["line"], row["code"], row["raw"]) == (2, "row_keys", "{}")


async def test_what_json_hides_is_seen(idle_client: httpx.AsyncClient) -> None:
    row = '{"prompt": "a", "prompt": "c", "completion": "b"}'
    answer = await idle_client.post(
        "/datasets",
        content=f'{{"name": "mine", "examples": [{row}]}}',
        headers={"content-type": "application/json"},
    )
    problem = refused(answer, 422, "dataset_invalid")
    assert [(fault["line"], fault["code"]) for fault in problem["errors"]] == [(1, "key_repeated")]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"format": "xlsx"}, "/format"),
        ({"on_error": "ignore"}, "/on_error"),
        ({"columns": "question=prompt"}, "/columns"),
        ({"columns": "[]"}, "/columns"),
        ({"columns": '{"question": "ask"}'}, "/columns/question"),
    ],
)
async def test_options_that_make_no_sense_are_refused(
    idle_client: httpx.AsyncClient, tmp_path: Path, fields: dict[str, str], pointer: str
) -> None:
    problem = refused(await send(idle_client, GOOD.encode(), **fields), 422, "invalid_request")
    assert pointers(problem) == [pointer]
    assert stored_files(tmp_path) == []


async def test_options_after_the_file_are_refused(idle_client: httpx.AsyncClient) -> None:
    parts = [("file", ("rows", GOOD.encode())), ("name", (None, b"mine"))]
    late = await idle_client.post("/datasets", files=[*parts, ("on_error", (None, b"skip"))])
    assert "before `file`" in refused(late, 422, "invalid_request")["detail"]
