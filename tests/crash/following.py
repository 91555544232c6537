"""Asking for jobs and following them to their end over the API."""

import asyncio
from typing import Any

import httpx

from tests.crash.processes import DEADLINE_SECONDS

ENDS = {"succeeded", "failed", "cancelled"}


async def add_dataset(client: httpx.AsyncClient) -> None:
    """A dataset named `echo`."""
    rows = [{"prompt": f"say {n}", "completion": f"say {n}"} for n in range(12)]
    answer = await client.post("/datasets", json={"name": "echo", "examples": rows})
    assert answer.is_success, answer.text


async def queue_job(client: httpx.AsyncClient, *, key: str | None = None) -> str:
    """The id of a new job at the simulated provider; a known `key` gives its job."""
    order = {"provider": "simulated", "base_model": "sim-base", "dataset": "echo"}
    headers = {"Idempotency-Key": key} if key else {}
    answer = await client.post("/jobs", json=order, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def finished(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """The job, once it has ended."""
    return await until(client, job_id, *ENDS)


async def until(client: httpx.AsyncClient, job_id: str, *statuses: str) -> dict[str, Any]:
    """The job, once its status is one of these."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            answer = await client.get(f"/jobs/{job_id}")
            assert answer.is_success, answer.text
            job = answer.json()
            if job["status"] in statuses:
                return job
            assert job["status"] not in ENDS, job
            known = {"If-None-Match": answer.headers["etag"]}
            await client.get(f"/jobs/{job_id}", params={"wait": 30}, headers=known)


async def events(client: httpx.AsyncClient, job_id: str) -> list[str]:
    """The types of all events of a job, which are numbered from 1 without a gap."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"/jobs/{job_id}/events", params=params)).json()
        found += page["data"]
        cursor = page["next_cursor"]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    return [event["type"] for event in found]
