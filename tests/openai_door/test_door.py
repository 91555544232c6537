"""The door itself: who gets in, how it refuses, what it says of itself."""

import json
import re
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, AuthenticationError, DefaultAsyncHttpxClient

from tests.openai_door.conftest import Desk
from tests.openai_door.heard import CONTRACT

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)

LEFT_OUT = ("/alpha/", "/permissions")
"""What OpenAI has and the door has not: graders on their own, and sharing of checkpoints."""


async def test_nobody_gets_in_without_the_key(desk: Desk) -> None:
    stranger = AsyncOpenAI(
        base_url=desk.url,
        api_key="sk-other",
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(trust_env=False),
    )

    with pytest.raises(AuthenticationError) as refused:
        await stranger.models.list()

    assert refused.value.code == "invalid_api_key"
    assert refused.value.request_id


async def test_an_unknown_address_is_refused_in_openai_s_shape(desk: Desk) -> None:
    async with _plain() as client:
        answer = await client.post(f"{desk.url}/fine-tunes", json={})

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["message"] == "Invalid URL (POST /openai/v1/fine-tunes)"
    assert set(error) == {"message", "type", "param", "code"}


async def test_a_body_that_is_no_json_is_refused(desk: Desk) -> None:
    headers = {"Content-Type": "application/json"}
    async with _plain() as client:
        answer = await client.post(
            f"{desk.url}/fine_tuning/jobs", content=b'{"model": ', headers=headers
        )

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_the_door_describes_itself(desk: Desk) -> None:
    async with _plain() as client:
        description = (await client.get(f"{desk.url}/openapi.json")).json()
        native = (await client.get(desk.url.replace("/openai/v1", "/openapi.json"))).json()

    operations = [one for path in description["paths"].values() for one in path.values()]
    assert all(one["summary"] and one["description"] for one in operations)
    assert {tuple(one["tags"]) for one in operations} == {("openai",)}
    assert not [path for path in native["paths"] if path.startswith("/openai")]


async def test_the_door_has_what_openai_has(desk: Desk) -> None:
    if not CONTRACT.exists():
        pytest.skip(f"no contract at {CONTRACT}")
    published = json.loads(CONTRACT.read_text())
    async with _plain() as client:
        ours = (await client.get(f"{desk.url}/openapi.json")).json()

    assert _anonymous(ours) == {
        (path, method)
        for path, method in _anonymous(published)
        if not any(part in path for part in LEFT_OUT)
    }


def _anonymous(description: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (re.sub(r"{\w+(:path)?}", "{}", path), method)
        for path, item in description["paths"].items()
        for method in item
    }


def _plain() -> httpx.AsyncClient:
    return httpx.AsyncClient(headers={"Authorization": "Bearer our-key"}, timeout=60)
