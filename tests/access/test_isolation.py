"""Projects are kept apart: what every operation of the description says to another one's key."""

from typing import Any

import httpx
import pytest

from app.api import roles
from app.api.openai.door import PREFIX
from app.bootstrap import House
from app.main import create_app
from tests.access.asking import ask
from tests.access.given import (
    OTHER,
    key,
    one_of_everything,
    operations,
    other_project,
    snapshot,
)
from tests.api.given import Json

SHARED = ("/providers/", "/dataset-templates/")
"""What belongs to no project."""


@pytest.fixture
def doors(house: House) -> list[tuple[str, Json]]:
    """Both doors' descriptions with what their paths begin with."""
    app: Any = create_app(house)
    door = next(route.app for route in app.routes if getattr(route, "path", "") == PREFIX)
    return [("", app.openapi()), (PREFIX, door.openapi())]


async def test_another_project_s_objects_are_not_there(
    client: httpx.AsyncClient, doors: list[tuple[str, Json]]
) -> None:
    ids = await one_of_everything(client)
    await other_project(client)
    stranger = await key(client, "admin", project=OTHER)
    mine = await key(client, "admin")
    before = await snapshot(client, mine)
    asked = 0
    for prefix, description in doors:
        for operation in operations(description):
            method, path, _ = operation
            if "{" not in path or path.startswith(SHARED):
                continue
            answer = await ask(
                client,
                description,
                operation,
                ids=ids,
                prefix=prefix,
                headers=stranger,
            )
            is_refused = operation[2]["operationId"] in ("change_project",)
            assert answer.status_code == (403 if is_refused else 404), (method, path, answer.text)
            asked += 1
    assert asked > 60
    assert await snapshot(client, mine) == before


async def test_lists_show_nothing_of_another_project(
    client: httpx.AsyncClient, doors: list[tuple[str, Json]]
) -> None:
    await one_of_everything(client)
    await other_project(client)
    stranger = await key(client, "admin", project=OTHER)
    for prefix, description in doors:
        for _, path, told in operations(description):
            is_list = told["operationId"].startswith("list_") and "{" not in path
            if is_list and f"{path}/" not in SHARED:
                seen = (await client.get(prefix + path, headers=stranger)).json()["data"]
                assert _of_others(seen) == [], path


async def test_a_viewer_s_key_changes_nothing(
    client: httpx.AsyncClient, doors: list[tuple[str, Json]]
) -> None:
    ids = await one_of_everything(client)
    viewer, mine = await key(client, "viewer"), await key(client, "admin")
    before = await snapshot(client, mine)
    for prefix, description in doors:
        for operation in operations(description):
            method, path, told = operation
            if method == "GET" or told["operationId"] in roles.ANYBODY:
                continue
            answer = await ask(
                client, description, operation, ids=ids, prefix=prefix, headers=viewer
            )
            assert answer.status_code == 403, (method, path, answer.text)
            assert "role_insufficient" in answer.text
    assert await snapshot(client, mine) == before


def _of_others(seen: list[Json]) -> list[Json]:
    """What is left of a list without the stranger's own project, key and base models."""
    return [
        one
        for one in seen
        if one.get("id") != OTHER and one.get("project") != OTHER and one.get("owned_by") is None
    ]
