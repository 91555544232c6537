"""Datasets that are refused: with lines and codes, and with nothing left behind."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.expect import pointers, refused, stored_files
from tests.api.given import PREFERENCE, rows, upload

FORM = {"content-type": "multipart/form-data; boundary=b"}


def part(name: str, content: bytes, *, filename: str | None = None) -> bytes:
    """One part of a form whose boundary is `b`."""
    place = f'; filename="{filename}"' if filename else ""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{place}\r\n\r\n'
    return head.encode() + content + b"\r\n"


FILE = part("file", b'{"prompt": "a", "completion": "b"}', filename="rows.jsonl")
NAME = part("name", b"mine")
END = b"--b--\r\n"


@pytest.mark.parametrize(
    ("content", "code", "faults"),
    [
        (b"", "dataset_empty", []),
        (b"\n \r\n\n", "dataset_empty", []),
        (b"\xff\xfe{}", "dataset_invalid", [(1, "not_utf8")]),
        (b'\n\n{"prompt": \n', "dataset_invalid", [(3, "not_json")]),
        (b'[[{"prompt": "a"}]]', "dataset_invalid", [(1, "row_not_object")]),
        (b'{"prompt": 1, "completion": "b"}\r\n\r\n7', "dataset_invalid", [
            (1, "row_shape"), (3, "row_not_object")
        ]),
    ],
)  # fmt: skip
async def test_wrong_rows_are_told_with_their_lines(
    idle_client: httpx.AsyncClient,
    tmp_path: Path,
    content: bytes,
    code: str,
    faults: list[tuple[int, str]],
) -> None:
    problem = refused(await upload(idle_client, content), 422, code)
    found = [(fault["line"], fault["code"]) for fault in problem.get("errors", [])]
    assert (found, problem["error_count"]) == (faults, len(faults))
    assert stored_files(tmp_path) == []


async def test_a_hundred_faults_are_told_and_all_are_counted(
    idle_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    wrong = {"prompt": "a", "completion": ""}
    examples = [row for pair in zip(rows(150), [wrong] * 150, strict=True) for row in pair]
    answer = await idle_client.post("/datasets", json={"name": "mine", "examples": examples})
    problem = refused(answer, 422, "dataset_invalid")
    assert problem["error_count"] == 150
    assert [fault["line"] for fault in problem["errors"]] == list(range(2, 202, 2))
    assert {fault["code"] for fault in problem["errors"]} == {"completion_empty"}
    assert stored_files(tmp_path) == []


async def test_kinds_are_not_mixed(idle_client: httpx.AsyncClient) -> None:
    body = {"name": "mine", "examples": [*rows(2), PREFERENCE]}
    problem = refused(await idle_client.post("/datasets", json=body), 422, "dataset_invalid")
    assert [(fault["line"], fault["code"]) for fault in problem["errors"]] == [(3, "kind_mixed")]


@pytest.mark.parametrize(
    ("form", "word"),
    [
        (FILE + NAME, "cut off"),
        (FILE[:70], "cut off"),
        (NAME + END, "no file"),
        (FILE + END, "no `name`"),
        (FILE + FILE + NAME + END, "two files"),
        (FILE + NAME + part("colour", b"red") + END, "colour"),
        (FILE + part("name", b"a b") + END, "name"),
        (FILE + part("name", b"x" * 70_000) + END, "too long"),
        (b"nonsense", "multipart"),
    ],
)
async def test_a_form_that_is_not_right_leaves_nothing(
    idle_client: httpx.AsyncClient, tmp_path: Path, form: bytes, word: str
) -> None:
    answer = await idle_client.post("/datasets", content=form, headers=FORM)
    assert word in refused(answer, 422, "invalid_request")["detail"]
    assert stored_files(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "mine"}, "/examples"),
        ({"examples": []}, "/name"),
        ({"name": "a@b", "examples": []}, "/name"),
        ({"name": "", "examples": []}, "/name"),
        ({"name": "mine", "examples": {}}, "/examples"),
        ({"name": "mine", "examples": [1]}, "/examples/0"),
        ({"name": "mine", "examples": [], "colour": "red"}, "/colour"),
        ({"name": "mine", "examples": [], "columns": {"q": {"a": 1}}}, "/columns/q"),
    ],
)
async def test_a_json_body_that_is_not_right_is_refused_by_pointer(
    idle_client: httpx.AsyncClient, tmp_path: Path, body: dict[str, Any], pointer: str
) -> None:
    problem = refused(await idle_client.post("/datasets", json=body), 422, "invalid_request")
    assert pointers(problem) == [pointer]
    assert stored_files(tmp_path) == []


async def test_a_body_of_another_type_is_refused(idle_client: httpx.AsyncClient) -> None:
    answer = await idle_client.post(
        "/datasets", content=b"a,b", headers={"content-type": "text/csv"}
    )
    assert "multipart/form-data" in refused(answer, 422, "invalid_request")["detail"]
