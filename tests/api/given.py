"""What tests of the API begin with: datasets, jobs under way, and waiting for what they become."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

Json = dict[str, Any]

PREFERENCE = {"prompt": "Greet me.", "chosen": "Good morning!", "rejected": "What?"}


def rows(count: int = 12) -> list[Json]:
    """Examples that a tuned simulated model answers perfectly: it repeats what it is asked."""
    return [{"prompt": f"say {number}", "completion": f"say {number}"} for number in range(count)]


def preferences(count: int = 12) -> list[Json]:
    """Examples of a better and a worse answer."""
    return [PREFERENCE | {"prompt": f"Greet guest {number}."} for number in range(count)]


async def dataset(
    client: httpx.AsyncClient, name: str = "echo", examples: list[Json] | None = None
) -> Json:
    """A stored dataset."""
    body = {"name": name, "examples": rows() if examples is None else examples}
    return created(await client.post("/datasets", json=body))


async def upload(client: httpx.AsyncClient, content: bytes, name: str = "mine") -> httpx.Response:
    """The answer to a file that was sent as a form."""
    return await client.post(
        "/datasets", data={"name": name}, files={"file": ("rows.jsonl", content)}
    )


def recipe(**changes: Any) -> Json:
    """A body for POST /jobs that is accepted once the dataset `echo` is there."""
    return {"provider": "simulated", "base_model": "sim-base", "dataset": "echo"} | changes


async def job(client: httpx.AsyncClient, **changes: Any) -> Json:
    """A queued job."""
    return created(await client.post("/jobs", json=recipe(**changes)))


async def ended(client: httpx.AsyncClient, job: Json) -> Json:
    """The job at its end."""
    return await until(client, job, lambda seen: seen["finished_at"] is not None)


async def until(client: httpx.AsyncClient, job: Json, is_so: Callable[[Json], bool]) -> Json:
    """The job as soon as it is as wanted."""
    seen = job
    while not is_so(seen):
        known = {"If-None-Match": f'"{seen["id"]}.{seen["revision"]}"'}
        answer = await client.get(f"/jobs/{job['id']}", params={"wait": 5}, headers=known)
        seen = seen if answer.status_code == 304 else answer.json()
    return seen


async def tuned(client: httpx.AsyncClient, **changes: Any) -> str:
    """The id of a model that was just tuned on the dataset `echo`."""
    await dataset(client)
    done = await ended(client, await job(client, **changes))
    assert done["status"] == "succeeded", done
    return done["tuned_model"]


async def judged(client: httpx.AsyncClient, **body: Any) -> Json:
    """An evaluation at its end."""
    evaluation = created(await client.post("/evaluations", json={"dataset": "echo"} | body))
    return await at_its_end(client, f"/evaluations/{evaluation['id']}")


async def at_its_end(client: httpx.AsyncClient, path: str) -> Json:
    """What is at a path, once it tells when it finished."""
    while (seen := (await client.get(path)).json())["finished_at"] is None:
        await pause()
    return seen


async def pause() -> None:
    """Leave the processor to whoever does what is waited for."""
    await asyncio.sleep(0.02)


def created(answer: httpx.Response) -> Json:
    """The body of an answer that says 201."""
    assert answer.status_code == 201, answer.text
    return answer.json()
