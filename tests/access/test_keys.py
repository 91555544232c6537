"""Keys: what they open, for how long, and how little of them is kept."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from app.bootstrap import House
from app.storage.keys import KeyRow
from tests.access.given import OTHER, bearing, key, new_key, other_project
from tests.api.expect import refused
from tests.api.given import created, dataset


async def test_a_key_opens_its_project(idle_client: httpx.AsyncClient) -> None:
    await other_project(idle_client)
    theirs = await key(idle_client, project=OTHER)
    await dataset(idle_client)

    made = created(
        await idle_client.post(
            "/datasets",
            json={"name": "echo", "examples": [{"prompt": "a", "completion": "b"}]},
            headers=theirs,
        )
    )

    assert made["version"] == 1
    assert len((await idle_client.get("/datasets", headers=theirs)).json()["data"]) == 1
    assert len((await idle_client.get("/datasets")).json()["data"]) == 1


async def test_only_hashes_are_kept(idle_client: httpx.AsyncClient, house: House) -> None:
    made = await new_key(idle_client)
    shown = (await idle_client.get(f"/keys/{made['id']}")).json()

    assert made["secret"].startswith(f"lth_{made['prefix']}_")
    assert "secret" not in shown
    async with house.database.read() as connection:
        row = (await connection.execute(select(*KeyRow.__table__.c))).mappings().one()
    secret = made["secret"].rsplit("_", 1)[1]
    assert not any(secret in str(value) for value in row.values())


async def test_a_wrong_or_revoked_key_opens_nothing(idle_client: httpx.AsyncClient) -> None:
    made = await new_key(idle_client)
    secret = made["secret"]
    for wrong in (secret[:-1], f"{secret}0", "lth_", "lth_x", f"lth_{made['prefix']}_", "lth_x_y"):
        refused(await idle_client.get("/jobs", headers=bearing(wrong)), 401, "unauthorized")

    assert (await idle_client.delete(f"/keys/{made['id']}")).status_code == 204

    refused(await idle_client.get("/jobs", headers=bearing(secret)), 401, "unauthorized")
    refused(await idle_client.post(f"/keys/{made['id']}/rotate"), 409, "key_revoked")


async def test_a_key_expires(idle_client: httpx.AsyncClient) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired = await key(idle_client, expires_at=past.isoformat())

    refused(await idle_client.get("/jobs", headers=expired), 401, "unauthorized")


@pytest.mark.parametrize(("grace", "status"), [(60, 200), (0, 401)])
async def test_the_old_secret_is_good_for_the_grace(
    idle_client: httpx.AsyncClient, grace: int, status: int
) -> None:
    made = await new_key(idle_client)
    assert (await idle_client.get("/jobs", headers=bearing(made["secret"]))).status_code == 200

    path = f"/keys/{made['id']}/rotate"
    rotated = (await idle_client.post(path, json={"grace_seconds": grace})).json()

    assert (await idle_client.get("/jobs", headers=bearing(rotated["secret"]))).status_code == 200
    old = await idle_client.get("/jobs", headers=bearing(made["secret"]))
    assert old.status_code == status


async def test_a_replay_does_not_tell_the_secret(idle_client: httpx.AsyncClient) -> None:
    body, promise = {"name": "a", "role": "viewer"}, {"Idempotency-Key": "once"}
    first = created(await idle_client.post("/keys", json=body, headers=promise))

    again = await idle_client.post("/keys", json=body, headers=promise)

    assert again.json() == first | {"secret": None}
    assert again.headers["idempotent-replayed"] == "true"


async def test_it_is_known_when_a_key_was_used(idle_client: httpx.AsyncClient) -> None:
    made = await new_key(idle_client)
    assert made["last_used_at"] is None

    await idle_client.get("/jobs", headers=bearing(made["secret"]))

    assert (await idle_client.get(f"/keys/{made['id']}")).json()["last_used_at"] is not None


async def test_an_admin_of_a_project_stays_in_it(idle_client: httpx.AsyncClient) -> None:
    await other_project(idle_client)
    theirs = await key(idle_client, "admin", project=OTHER)
    wanted = {"name": "a", "role": "admin"}

    for project in ("default", "none"):
        asked = wanted | {"project": project}
        answer = await idle_client.post("/keys", json=asked, headers=theirs)
        refused(answer, 404, "project_not_found")
        there = theirs | {"Luthier-Project": project}
        refused(await idle_client.get("/jobs", headers=there), 404, "project_not_found")
    answer = await idle_client.post("/projects", json={"id": "third"}, headers=theirs)
    refused(answer, 403, "role_insufficient")
    assert created(await idle_client.post("/keys", json=wanted, headers=theirs))["project"] == OTHER


async def test_who_looks_after_the_service_works_in_any_project(
    idle_client: httpx.AsyncClient,
) -> None:
    await other_project(idle_client)
    there = {"Luthier-Project": OTHER}
    await new_key(idle_client)

    assert (await idle_client.get("/keys", headers=there)).json()["data"] == []
    nowhere = {"Luthier-Project": "none"}
    refused(await idle_client.get("/keys", headers=nowhere), 404, "project_not_found")


async def test_limits_of_a_key_can_be_changed(idle_client: httpx.AsyncClient) -> None:
    made = await new_key(idle_client, spend_limit_usd="1.50", rate_limit_per_minute=5)

    changed = await idle_client.patch(f"/keys/{made['id']}", json={"spend_limit_usd": None})

    assert changed.json()["spend_limit_usd"] is None
    assert changed.json()["rate_limit_per_minute"] == 5
