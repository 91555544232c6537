"""The description at /openapi.json: well formed, complete, and true of every answer."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import bootstrap
from app.main import create_app
from app.settings import Settings
from tests.api.given import Json, created, dataset, ended, job, judged, recipe, rows, upload
from tests.api.schemas import misfits
from tests.simulated.simulated_provider import SimulatedProvider

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
PROBLEM = "application/problem+json"


@pytest.fixture
def description(tmp_path: Path, vendor: SimulatedProvider) -> Json:
    """What the service says of itself."""
    house = bootstrap.build(Settings(data_dir=tmp_path), providers={"simulated": vendor})
    return json.loads(json.dumps(create_app(house).openapi()))


def operations(description: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation with its path and method."""
    for path, item in description["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def references(part: Any) -> Iterator[str]:
    """Every `$ref` below a part of the description."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_the_description_is_openapi_3_1(description: Json) -> None:
    assert re.fullmatch(r"3\.1\.\d+", description["openapi"])
    assert description["info"].keys() >= {"title", "version", "description"}
    assert description["components"]["securitySchemes"] == {
        "key": {"type": "http", "scheme": "bearer"}
    }
    for path, method, operation in operations(description):
        assert path.startswith("/")
        assert method in METHODS
        assert operation["responses"]
        assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])
        assert all(answer["description"] for answer in operation["responses"].values())


def test_every_reference_leads_somewhere_and_every_schema_is_used(description: Json) -> None:
    there = {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    assert set(references(description)) == there


def test_every_operation_reads_well_in_a_generated_client(description: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(set(ids)) == len(ids)
    for _, _, operation in operations(description):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
        assert 0 < len(operation["summary"]) < 60
        assert operation["description"]
        assert operation["tags"]
    names = description["components"]["schemas"]
    assert not [name for name in names if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name)]


def test_every_parameter_is_described(description: Json) -> None:
    for path, _, operation in operations(description):
        parameters = operation.get("parameters", [])
        in_path = {one["name"] for one in parameters if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert all(one["schema"] for one in parameters)
        assert all(one.get("description") for one in parameters if one["in"] == "path"), path
        assert len({(one["in"], one["name"]) for one in parameters}) == len(parameters)


def test_every_operation_tells_its_refusals(description: Json) -> None:
    for path, method, operation in operations(description):
        answers = operation["responses"]
        if operation["tags"] == ["health"]:
            continue
        assert answers.keys() >= {"401", "403", "429", "503"}, path
        assert ("404" in answers) >= ("{" in path), path
        takes_something = "requestBody" in operation or operation.get("parameters")
        assert ("422" in answers) >= (method == "post" and "requestBody" in operation)
        assert takes_something or "422" not in answers
        for status, answer in answers.items():
            if status >= "400":
                assert answer["content"].keys() == {PROBLEM}
                assert answer["content"][PROBLEM]["schema"] == {
                    "$ref": "#/components/schemas/Problem"
                }


@pytest.fixture
async def heard(client: httpx.AsyncClient) -> list[httpx.Response]:
    """Every answer that the client gets."""
    answers: list[httpx.Response] = []

    async def note(answer: httpx.Response) -> None:
        await answer.aread()
        answers.append(answer)

    client.event_hooks = {"response": [note]}
    return answers


async def test_every_answer_is_as_described(
    client: httpx.AsyncClient, heard: list[httpx.Response], description: Json
) -> None:
    await tour(client)
    visited = {check(description, answer) for answer in heard}
    assert visited == {operation["operationId"] for _, _, operation in operations(description)}


async def tour(client: httpx.AsyncClient) -> None:
    """Ask for everything once, and for something of every kind that is refused."""
    for path in ("/healthz", "/readyz", "/providers", "/providers/simulated", "/providers/none"):
        await client.get(path)
    await client.get("/providers/simulated/base-models")
    await client.post("/providers/simulated/refresh")
    await client.get("/providers/simulated/orphans")
    await client.post("/providers/simulated/webhooks", json={})
    await client.post("/providers/none/webhooks", json={})
    for asked in ({}, {"what": ["secrets"]}):
        await client.post("/providers/simulated/import", json=asked)
    await dataset(client)
    await dataset(client, "spare", rows(2))
    await upload(client, b'{"prompt": "a", "completion": "b"}\n')
    await upload(client, b"nonsense\n{}")
    await upload(client, b"")
    await client.post("/datasets", json={"name": "far", "url": "s3://bucket/key"})
    for part in ("", "/examples", "/content", "/rejected", "/report", "/examples?cursor=x"):
        await client.get(f"/datasets/echo{part}")
    for asked in ("content?format=instruction&container=json", "content?container=csv"):
        await client.get(f"/datasets/echo/{asked}")
    for asked in ("content?format=preference", "conversion?format=sharegpt", "conversion?format=x"):
        await client.get(f"/datasets/echo/{asked}")
    await client.get("/datasets?limit=1")
    await client.delete("/datasets/spare")
    await client.delete("/datasets/spare")
    await client.post("/datasets/echo/split", json={"validation": 0.2, "test": 0.2, "seed": 7})
    await client.post("/datasets/echo/split", json={"validation": 2})
    drop = {"edits": [{"op": "drop", "line": 2}], "name": "edited"}
    for _ in range(2):
        await client.post("/datasets/echo/edits", json=drop)
    await client.post("/datasets/edited/edits", json={"edits": [{"op": "drop", "line": 99}]})
    for verb in ("redact", "deduplicate"):
        await client.post(f"/datasets/edited/{verb}", json={})
        await client.post(f"/datasets/edited/{verb}", json={"none": 1})
    await client.get("/datasets/edited/diff?limit=1")
    await client.get("/datasets/edited/diff?against=none")
    for held_out in ("?held_out=echo-test", "?held_out=none", ""):
        await client.get(f"/datasets/echo/leakage{held_out}")
    target = {"provider": "simulated", "base_model": "sim-base"}
    await client.post("/datasets/echo/compile", json=target)
    await client.post("/datasets/echo/compile", json=target | {"base_model": "none"})
    await client.post("/quotes", json={"dataset": "echo"})
    await client.post("/quotes", json={"dataset": "none"})
    await tour_of_keys(client)
    for part in ("", "/preference", "/preference/sample", "/none"):
        await client.get(f"/dataset-templates{part}")
    await tour_of_jobs(client)


async def tour_of_keys(client: httpx.AsyncClient) -> None:
    """Projects with their keys, what a key may not, and what was written down of all this."""
    for project in ("care", "care", "C"):
        await client.post("/projects", json={"id": project, "spend_limit_usd": "20.00"})
    for path in ("", "/care", "/none", "?limit=1"):
        await client.get(f"/projects{path}")
    for project in ("care", "none"):
        await client.patch(f"/projects/{project}", json={"spend_limit_usd": None})
    wanted: Json = {"name": "nightly", "role": "viewer", "rate_limit_per_minute": 1}
    given = (await client.post("/keys", json=wanted)).json()
    await client.post("/keys", json=wanted | {"project": "none"})
    bearing = {"Authorization": f"Bearer {given['secret']}"}
    for path in ("/jobs", "/keys"):
        await client.get(path, headers=bearing)
    await client.get("/keys?limit=1")
    for key in (given["id"], "none"):
        await client.get(f"/keys/{key}")
        await client.patch(f"/keys/{key}", json={"spend_limit_usd": "5.00"})
        await client.post(f"/keys/{key}/rotate", json={"grace_seconds": 60})
        await client.delete(f"/keys/{key}")
    await client.post(f"/keys/{given['id']}/rotate")
    for kind in ("application/json", "text/csv", "application/jsonl"):
        await client.get("/audit?limit=1", headers={"Accept": kind})
    await client.get("/audit?cursor=x")


async def tour_of_jobs(client: httpx.AsyncClient) -> None:
    """Jobs to a model, the model to an evaluation."""
    await client.post("/jobs", json=recipe(dataset="none"))
    await client.post("/jobs", json=recipe(seed=-1))
    await client.post("/jobs", content=b"\xff", headers={"content-type": "application/json"})
    begun = await job(client, tags={"a": "b"}, validation_split=0.2, evaluate={"dataset": "echo"})
    for verb in ("pause", "resume", "cancel", "retry"):
        await client.post(f"/jobs/{begun['id']}/{verb}")
    await ended(client, begun)
    done = await ended(client, await job(client, name="mine", evaluate={"dataset": "echo"}))
    path = f"/jobs/{done['id']}"
    for part in ("", "/events", "/metrics", "/checkpoints", "/logs", "/logs?offset=x"):
        await client.get(path + part)
    await client.get(f"{path}/events", headers={"Accept": "text/event-stream"})
    await client.get(path, headers={"If-None-Match": "*"})
    await client.post(f"{path}/cancel")
    for asked in ("limit=1", "status=succeeded", "status=none"):
        await client.get(f"/jobs?{asked}")
    await tour_of_models(client, done["tuned_model"])


async def tour_of_models(client: httpx.AsyncClient, model: str) -> None:
    """Ask, compare, remove."""
    candidates = ["simulated/sim-base", model]
    evaluation = await judged(client, candidates=candidates)
    await client.post("/evaluations", json={"dataset": "echo", "candidates": []})
    path = f"/evaluations/{evaluation['id']}"
    gated: Json = {"gate": {"metric": "f1", "min_delta": 0.1}, "metrics": ["cost"]}
    await judged(client, candidates=candidates, **gated)
    await client.get(f"{path}/examples")
    for body in ({"from": "worst", "candidate": candidates[0]}, {"from": "worst"}):
        await client.post(f"{path}/weak-examples", json=body)
    await client.post(f"{path}/metrics", json={"metrics": ["f1"]})
    await client.post(f"{path}/metrics", json={"metrics": ["taste"]})
    await tour_of_feedback(client, model)
    await tour_of_webhooks(client)
    await client.get("/evaluations?limit=1")
    await client.get("/models?limit=1&retiring_within=90d")
    await client.get(f"/models/{model}")
    await tour_of_cards(client, model)
    await tour_of_aliases(client, model)
    chat: Json = {"messages": [{"role": "user", "content": "well?"}]}
    for body in (chat, chat | {"stream": True}, {}):
        await client.post(f"/models/{model}/chat/completions", json=body)
    await client.delete(f"/models/{model}")
    await client.delete(f"/models/{model}")


async def tour_of_cards(client: httpx.AsyncClient, model: str) -> None:
    """Read what reproduces a model, make it again, take it along."""
    card = (await client.get(f"/models/{model}/card")).json()
    await client.get(f"/models/{model}/card", headers={"Accept": "text/markdown"})
    again = created(await client.post("/jobs", json={"card": card}))
    await client.post("/jobs", json={"card": card | {"method": None}})
    other = (await ended(client, again))["tuned_model"]
    for asked in (f"?with={other}", "?with=none", ""):
        await client.get(f"/models/{model}/card/diff{asked}")
    for asked in ("", "?weights=none"):
        await client.get(f"/models/{model}/export{asked}")


async def tour_of_aliases(client: httpx.AsyncClient, model: str) -> None:
    """Name a model, move the name and take it back; deploy; see what was told and paid."""
    gate: Json = {"metric": "f1", "min_delta": 0.1, "guards": [{"metric": "f1", "max_drop": 0}]}
    wishes: list[Json] = [{"model": model}, {"model": "simulated/sim-base", "gate": gate}]
    for body in (*wishes, {"model": model}, {"model": "none"}, {}):
        await client.put("/aliases/prod", json=body)
    await client.get("/aliases?limit=1")
    await client.get("/aliases/prod")
    await tour_of_migrations(client, model)
    for _ in range(2):
        await client.post("/aliases/prod/rollback")
    for _ in range(2):
        await client.delete("/aliases/prod")
    for verb in ("deploy", "undeploy"):
        await client.post(f"/models/{model}/{verb}", json={"ttl_hours": 1})
    await client.post(f"/models/{model}/deploy", json={"ttl_hours": 0})
    await client.get(f"/models/{model}")
    await client.get("/events?type=alias.*&limit=1")
    for asked in ("", "?group_by=tag:team", "?group_by=none"):
        await client.get(f"/ledger{asked}")
    await client.get("/ledger", headers={"Accept": "text/csv"})


async def tour_of_webhooks(client: httpx.AsyncClient) -> None:
    """Ask to be told, see how it goes, and leave."""
    wanted: Json = {"url": "https://hooks.example/", "events": ["job.*"]}
    for body in (wanted | {"url": "https://10.0.0.1/"}, wanted | {"events": ["none"]}, {}):
        await client.post("/webhooks", json=body)
    hook = (await client.post("/webhooks", json=wanted)).json()
    path = f"/webhooks/{hook['id']}"
    await client.get("/webhooks?limit=1")
    await client.get(path)
    for body in ({"description": "tickets"}, {"enabled": "perhaps"}):
        await client.patch(path, json=body)
    await client.post(f"{path}/rotate-secret")
    sent = (await client.post(f"{path}/test")).json()
    await client.get(f"{path}/deliveries?limit=1")
    for delivery in (sent["id"], "none"):
        await client.post(f"{path}/deliveries/{delivery}/resend")
    await client.patch(path, json={"enabled": False})
    await client.post(f"{path}/test")
    for _ in range(2):
        await client.delete(path)


async def tour_of_migrations(client: httpx.AsyncClient, model: str) -> None:
    """Make a model anew, or only plan to; train on several targets at once."""
    await dataset(client, "held-out", rows(24)[12:])
    target: Json = {"provider": "simulated", "base_model": "sim-base"}
    evaluate: Json = {"evaluate": {"dataset": "held-out"}}
    for body in (target | evaluate | {"dry_run": True}, target | evaluate, target, {}):
        await client.post(f"/models/{model}/migrate", json=body)
    wanted = {"dataset": "echo", "targets": [target], **evaluate}
    begun = await client.post("/comparisons", json=wanted)
    await client.post("/comparisons", json=wanted | {"targets": []})
    await client.get("/comparisons?limit=1")
    path = begun.headers["location"]
    await client.get(path)
    for _ in range(2):
        await client.post(f"{path}/cancel")


async def tour_of_feedback(client: httpx.AsyncClient, model: str) -> None:
    """Rate and correct an answer, and learn from it."""
    question = [{"role": "user", "content": "well?"}]
    given = {"messages": question, "answer": "well", "rating": 1, "corrected": "fine"}
    for body in (given, {}):
        await client.post(f"/models/{model}/feedback", json=body)
    await client.get(f"/models/{model}/feedback")
    for name in ("lessons", "lessons", ""):
        await client.post("/datasets/from-feedback", json={"model": model, "name": name})


def check(description: Json, answer: httpx.Response) -> str:
    """The operation that gave the answer, after a look whether it is as described."""
    request = answer.request
    path, operation = described(description, request.method.lower(), request.url.path)
    asked = f"{request.method} {path} {answer.status_code}"
    told = operation["responses"].get(str(answer.status_code))
    assert told is not None, f"{asked} is not described"
    if "content" not in told:
        assert answer.content == b"", asked
        return operation["operationId"]
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in told["content"], asked
    if kind.endswith("json"):
        schema = told["content"][kind]["schema"]
        assert list(misfits(description, schema, answer.json())) == [], asked
    return operation["operationId"]


def described(description: Json, method: str, path: str) -> tuple[str, Json]:
    """The path and operation that a request went to; the longest that matches is the one."""
    found = [
        (template, item[method])
        for template, item in description["paths"].items()
        if method in item and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    return max(found, key=lambda one: len(one[0]))
