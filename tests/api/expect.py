"""What every refusal has in common, checked wherever one is expected."""

from pathlib import Path
from typing import Any

import httpx


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer that refuses with this status and this stable code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"].endswith(f"/{code}")
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


def pointers(problem: dict[str, Any]) -> list[str]:
    """Where in the body the faults of a problem are."""
    return [fault["pointer"] for fault in problem["errors"]]


def stored_files(data_dir: Path) -> list[Path]:
    """Every file of an upload, under way or kept."""
    folders = (data_dir / "uploads", data_dir / "blobs")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


async def pages(client: httpx.AsyncClient, path: str, **asked: str) -> list[list[dict[str, Any]]]:
    """Every page of a list, by following `next_cursor`."""
    found: list[list[dict[str, Any]]] = []
    while True:
        page = (await client.get(path, params=asked)).json()
        found.append(page["data"])
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]
