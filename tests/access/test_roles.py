"""Roles: every operation has one, and what it takes is told."""

from typing import Any

import httpx

from app.api import roles
from app.bootstrap import House
from app.domain.access import Role
from app.main import create_app
from tests.access.given import OTHER, key, operations, other_project
from tests.api.expect import refused


def test_every_operation_tells_its_role(house: House) -> None:
    app: Any = create_app(house)
    told = {
        operation["operationId"]: operation["x-luthier-role"]
        for _, _, operation in operations(app.openapi())
    }

    assert set(told.values()) == {*map(str, Role), "anybody"}
    assert {name for name, role in told.items() if role == "anybody"} == roles.ANYBODY
    assert roles.named() <= told.keys()


async def test_each_role_may_what_those_before_it_may(idle_client: httpx.AsyncClient) -> None:
    asked = {
        "viewer": idle_client.build_request("GET", "/jobs"),
        "developer": idle_client.build_request("POST", "/quotes", json={"dataset": "none"}),
        "operator": idle_client.build_request("GET", "/webhooks"),
        "admin": idle_client.build_request("GET", "/audit"),
    }
    for role in Role:
        headers = await key(idle_client, role)
        for needed, request in asked.items():
            request.headers.update(headers)
            answer = await idle_client.send(request)
            assert (answer.status_code == 403) is not role.covers(Role(needed)), (role, needed)


async def test_what_all_projects_share_needs_a_key_of_the_default_one(
    idle_client: httpx.AsyncClient,
) -> None:
    await other_project(idle_client)
    theirs = await key(idle_client, "admin", project=OTHER)
    ours = await key(idle_client, "operator")
    path = "/providers/simulated/orphans"

    refused(await idle_client.get(path, headers=theirs), 403, "role_insufficient")
    assert (await idle_client.get(path, headers=ours)).status_code == 200
