"""Secrets: shown once, stored sealed, rotated without a gap."""

import re
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update
from standardwebhooks.webhooks import WebhookVerificationError

from app.bootstrap import House
from app.domain.errors import SecretKeyMissing
from app.settings import Settings
from app.storage import schema
from app.storage.sealing import Seal, SealBroken, key_in, no_key
from app.storage.webhook_endpoints import WebhookEndpointRow
from tests.api.given import Json
from tests.webhooks.given import seen, tell, tick, verified, wait_over, webhook
from tests.webhooks.receiver import Receiver


async def test_after_a_rotation_both_secrets_sign_for_a_day(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    rotated = (await idle_client.post(f"/webhooks/{hook['id']}/rotate-secret")).json()
    await tell(house, subject="job_1")
    await tick(house)
    await day_is_over(house)
    await tell(house, subject="job_2")
    await tick(house)

    within, after = receiver.received
    assert rotated["secret"] != hook["secret"]
    assert verified(within, hook["secret"]) == verified(within, rotated["secret"])
    assert verified(after, rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        verified(after, hook["secret"])


async def test_the_same_key_gives_the_same_secret(
    idle_client: httpx.AsyncClient, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    body = {"url": receiver.url, "events": ["job.*"]}
    for ask in (
        posting(idle_client, "", body),
        posting(idle_client, f"/{hook['id']}/rotate-secret"),
    ):
        first, again, other = await ask("k1"), await ask("k1"), await ask("k2")

        assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
        assert other.json()["secret"] != first.json()["secret"]


async def test_a_secret_is_shown_once_and_stored_nowhere(
    idle_client: httpx.AsyncClient,
    house: House,
    receiver: Receiver,
    capfd: pytest.CaptureFixture[str],
) -> None:
    keyed = {"Idempotency-Key": "k"}
    body = {"url": receiver.url, "events": ["job.*"]}
    hook = (await idle_client.post("/webhooks", json=body, headers=keyed)).json()
    rotated = await idle_client.post(f"/webhooks/{hook['id']}/rotate-secret", headers=keyed)
    receiver.answers = [500, 200]
    await tell(house)
    for _ in range(2):
        await tick(house)
        await wait_over(house)

    shown = [
        (await idle_client.get(path)).text for path in ("/webhooks", f"/webhooks/{hook['id']}")
    ]
    shown += [str(await seen(idle_client, hook)), str(await everything_in(house))]
    shown += [str(await house.services.webhook_endpoints.get(hook["id"])), *capfd.readouterr()]
    for secret in (hook["secret"], rotated.json()["secret"]):
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
        assert not any(secret.removeprefix("whsec_") in text for text in shown)


async def test_without_the_key_nothing_is_sent_and_it_says_why(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    foreign = Seal(lambda: "another key than that of the others")
    async with house.database.write() as connection:
        secrets = [{"sealed": foreign.seal(hook["secret"]), "until": None}]
        await connection.execute(update(WebhookEndpointRow).values(secrets=secrets))
    await tell(house)

    await tick(house)

    assert receiver.received == []
    [delivery] = await seen(idle_client, hook)
    assert "LUTHIER_SECRET_KEY" in delivery["outcome"]["problem"]


def test_the_embedded_key_is_its_owner_s_alone_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    sealed = Seal(lambda: key_in(file)).seal("whsec_a")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert Seal(lambda: key_in(file)).open(sealed) == "whsec_a"
    with pytest.raises(SealBroken):
        Seal(lambda: "x" * 32).open(sealed)


def test_where_processes_could_not_share_a_key_one_is_asked_for() -> None:
    with pytest.raises(SecretKeyMissing, match="LUTHIER_SECRET_KEY"):
        Seal(no_key).seal("whsec_a")


def test_no_setting_shows_the_key(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, secret_key=SecretStr("a key of thirty-two characters or more")
    )

    assert "thirty-two" not in repr(settings)


def posting(
    client: httpx.AsyncClient, path: str, body: Json | None = None
) -> Callable[[str], Awaitable[httpx.Response]]:
    """A request to make with different keys."""

    async def ask(key: str) -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return await client.post(f"/webhooks{path}", json=body, headers=headers)

    return ask


async def day_is_over(house: House) -> None:
    """Let every old secret have come to its end."""
    async with house.database.write() as connection:
        [secrets] = (await connection.execute(select(WebhookEndpointRow.secrets))).scalars()
        ended = [one | {"until": 1} if one.get("until") else one for one in secrets]
        await connection.execute(update(WebhookEndpointRow).values(secrets=ended))


async def everything_in(house: House) -> list[object]:
    """Every row of every table."""
    async with house.database.read() as connection:
        return [
            row
            for table in schema.metadata.sorted_tables
            for row in await connection.execute(table.select())
        ]
