"""Callers: keys of a project in a role, and one of everything that a project can have."""

from collections.abc import Iterator
from typing import Any

import httpx

from app.api.openai.door import PREFIX
from tests.api.given import Json, at_its_end, created, dataset, ended, job, judged, rows

OTHER = "other"

Headers = dict[str, str]


async def key(client: httpx.AsyncClient, role: str = "developer", **more: Any) -> Headers:
    """What a bearer of a new key sends."""
    return bearing((await new_key(client, role, **more))["secret"])


async def new_key(client: httpx.AsyncClient, role: str = "developer", **more: Any) -> Json:
    """A new key with its secret."""
    return created(await client.post("/keys", json={"name": f"a {role}", "role": role} | more))


def bearing(secret: str) -> Headers:
    """The header with a key."""
    return {"Authorization": f"Bearer {secret}"}


async def other_project(client: httpx.AsyncClient) -> None:
    """A second project."""
    created(await client.post("/projects", json={"id": OTHER}))


async def one_of_everything(client: httpx.AsyncClient) -> dict[str, str]:
    """The default project with one of each thing; their ids by the rooms of the paths."""
    await dataset(client)
    await dataset(client, "held-out", rows(20)[12:])
    done = await ended(client, await job(client))
    model = done["tuned_model"]
    await client.put("/aliases/prod", json={"model": model})
    evaluation = await judged(client, candidates=["simulated/sim-base", model])
    feedback = {"messages": [{"role": "user", "content": "a"}], "answer": "b", "rating": 1}
    await client.post(f"/models/{model}/feedback", json=feedback)
    hook = {"url": "https://hooks.example/a", "events": ["job.*"]}
    targets = [{"provider": "simulated", "base_model": "sim-base"}]
    compared = {"dataset": "echo", "targets": targets, "evaluate": {"dataset": "held-out"}}
    comparison = created(await client.post("/comparisons", json=compared))
    comparison = await at_its_end(client, f"/comparisons/{comparison['id']}")
    at_the_door = await _at_the_door(client)
    await _reported(client)
    return {
        "jobs": done["id"],
        "datasets": "echo",
        "models": model,
        "aliases": "prod",
        "evaluations": evaluation["id"],
        "webhooks": created(await client.post("/webhooks", json=hook))["id"],
        "comparisons": comparison["id"],
        "keys": (await new_key(client))["id"],
        "projects": "default",
        "deliveries": "none",
        "providers": "simulated",
        "dataset-templates": "none",
    } | at_the_door


async def _at_the_door(client: httpx.AsyncClient) -> dict[str, str]:
    line = (
        b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    )
    sent = {"file": ("rows.jsonl", line)}
    file = await client.post(f"{PREFIX}/files", data={"purpose": "fine-tune"}, files=sent)
    announced = {"filename": "a.jsonl", "bytes": 1, "purpose": "fine-tune", "mime_type": "a/b"}
    upload = await client.post(f"{PREFIX}/uploads", json=announced)
    return {"files": file.json()["id"], "uploads": upload.json()["id"]}


async def _reported(client: httpx.AsyncClient) -> None:
    """Return when every dataset has its report, and so the tokens that it tells."""
    for one in (await client.get("/datasets")).json()["data"]:
        await at_its_end(client, f"/datasets/{one['id']}/report")


async def snapshot(client: httpx.AsyncClient, headers: Headers) -> Json:
    """All that a project's admin sees of it, but for what moves by itself."""
    seen: Json = {}
    for path in ("jobs", "datasets", "models", "aliases", "evaluations", "webhooks", "comparisons"):
        seen[path] = (await client.get(f"/{path}", headers=headers)).json()["data"]
    for path in ("keys", "projects", "events", "ledger"):
        seen[path] = (await client.get(f"/{path}", headers=headers)).json()["data"]
    for path in ("files", "fine_tuning/jobs", "models"):
        seen[path] = (await client.get(f"{PREFIX}/{path}", headers=headers)).json()["data"]
    for one in seen["keys"]:
        one.pop("last_used_at")
    return seen


def operations(description: Json) -> Iterator[tuple[str, str, Json]]:
    """Method, path and description of every operation."""
    for path, item in description["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation
