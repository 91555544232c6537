"""Tokens of an issuer: which open the service, as whom, and which do not."""

import base64
import json
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from app import bootstrap
from app.network import issuers
from app.network.issuers import Issuer
from app.settings import Oidc, Settings
from tests.access.given import OTHER, bearing
from tests.access.issuing import AUDIENCE, LoopbackIssuer, issuing
from tests.api.expect import refused
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

ADMIN = bearing("the-admin-key")


@pytest.fixture
def issuer() -> Generator[LoopbackIssuer]:
    """Whose tokens the service takes."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture
async def client(
    database_url: str, tmp_path: Path, vendor: SimulatedProvider, issuer: LoopbackIssuer
) -> AsyncGenerator[httpx.AsyncClient]:
    """A service with an issuer and an admin key."""
    oidc = Oidc(
        issuer=issuer.url,
        audience=AUDIENCE,
        roles={"developer": "developer", "ml-leads": "admin"},
        project_claim="team",
    )
    settings = Settings(
        data_dir=tmp_path,
        database_url=database_url,
        admin_key=SecretStr("the-admin-key"),
        oidc=oidc,
    )
    house = bootstrap.build(settings, providers={"simulated": vendor})
    async with api(house, reconcile=False) as client:
        yield client


async def ask(client: httpx.AsyncClient, token: str, path: str = "/jobs") -> httpx.Response:
    """The answer to a token's bearer."""
    return await client.get(path, headers=bearing(token))


async def test_a_token_opens_its_project_in_its_role(
    client: httpx.AsyncClient, issuer: LoopbackIssuer
) -> None:
    await client.post("/projects", json={"id": OTHER}, headers=ADMIN)
    token = issuer.token(team=OTHER)

    made = await client.post(
        "/datasets",
        json={"name": "a", "examples": [{"prompt": "a", "completion": "b"}]},
        headers=bearing(token),
    )

    assert made.status_code == 201
    assert (await client.get("/datasets", headers=ADMIN)).json()["data"] == []
    refused(await ask(client, token, "/audit"), 403, "role_insufficient")
    lines = await ask(client, issuer.token(team=OTHER, roles=["ml-leads", "x"]), "/audit")
    assert [(line["caller"], line["key"]) for line in lines.json()["data"]] == [("ada", None)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": 1_700_000_000},
        {"exp": None},
        {"nbf": 4_100_000_000},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"sub": None},
        {"key": "a shared secret that is long enough for it", "algorithm": "HS256"},
        {"kid": "unknown"},
    ],
)
async def test_a_wrong_token_opens_nothing(
    client: httpx.AsyncClient, issuer: LoopbackIssuer, wrong: dict[str, Any]
) -> None:
    refused(await ask(client, issuer.token(**{"team": "default"} | wrong)), 401, "unauthorized")


async def test_an_unsigned_or_altered_token_opens_nothing(
    client: httpx.AsyncClient, issuer: LoopbackIssuer
) -> None:
    header, claims, signature = issuer.token(team="default").split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    raised = _encoded(said | {"roles": ["ml-leads"]})
    unsigned = _encoded({"alg": "none", "typ": "JWT", "kid": "first"})

    for token in (f"{header}.{raised}.{signature}", f"{unsigned}.{claims}.", "a.b.c", "..", "a.b"):
        refused(await ask(client, token), 401, "unauthorized")


async def test_a_clock_may_be_a_little_off(
    client: httpx.AsyncClient, issuer: LoopbackIssuer
) -> None:
    late = issuer.token(team="default", exp=int(time.time()) - issuers.LEEWAY_SECONDS // 2)

    assert (await ask(client, late)).status_code == 200


async def test_a_genuine_token_without_a_role_or_project_of_ours_is_refused(
    client: httpx.AsyncClient, issuer: LoopbackIssuer
) -> None:
    for roles in (["none"], [], None, "viewer"):
        answer = await ask(client, issuer.token(team="default", roles=roles))
        refused(answer, 403, "forbidden")
    refused(await ask(client, issuer.token()), 403, "forbidden")
    refused(await ask(client, issuer.token(team="none")), 404, "project_not_found")


async def test_keys_are_kept_and_asked_for_again_after_a_rotation(
    issuer: LoopbackIssuer,
) -> None:
    judge = Issuer(issuer.url, audience=AUDIENCE, again_seconds=0)
    for _ in range(3):
        await judge.claims(issuer.token())
    assert issuer.asked == 1

    issuer.rotate("second")

    assert (await judge.claims(issuer.token()))["sub"] == "ada"
    assert issuer.asked == 2


async def test_made_up_key_ids_do_not_flood_the_issuer(
    client: httpx.AsyncClient, issuer: LoopbackIssuer
) -> None:
    for number in range(5):
        await ask(client, issuer.token(kid=f"made-up-{number}"))

    assert issuer.asked == 1


async def test_another_issuer_at_the_same_place_is_not_believed(
    client: httpx.AsyncClient, issuer: LoopbackIssuer
) -> None:
    issuer.named = "https://elsewhere.example"

    refused(await ask(client, issuer.token(team="default")), 503, "issuer_unavailable")


async def test_a_silent_issuer_is_no_harm_to_keys(
    client: httpx.AsyncClient, issuer: LoopbackIssuer
) -> None:
    token = issuer.token(team="default").split(".")
    issuer.named = "nobody"

    refused(await ask(client, ".".join(token)), 503, "issuer_unavailable")
    assert (await client.get("/jobs", headers=ADMIN)).status_code == 200


def test_an_issuer_in_clear_is_refused() -> None:
    with pytest.raises(ValidationError):
        Oidc(issuer="http://issuer.example", audience="a")
    with pytest.raises(ValidationError, match="no role"):
        Oidc(issuer="https://issuer.example", audience="a", roles={"a": "owner"})


def _encoded(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
