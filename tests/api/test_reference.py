"""The page at /docs: whole without the internet, and open to people who have no key yet."""

import re
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app import bootstrap
from app.api.reference import FOLDER
from app.settings import Settings
from tests.api.expect import refused
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

LINK = re.compile(r'(?:src|href)="([^"]+)"')


async def test_all_that_the_page_needs_is_here(idle_client: httpx.AsyncClient) -> None:
    page = await idle_client.get("/docs")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for link in LINK.findall(page.text):
        part = await idle_client.get(f"/{link}")
        assert part.content == (FOLDER / link.removeprefix("docs/")).read_bytes()
    refused(await idle_client.get("/docs/none.js"), 404, "route_not_found")
    refused(await idle_client.get("/docs/LICENSE"), 404, "route_not_found")


async def test_it_opens_without_the_key_that_its_calls_need(
    tmp_path: Path, vendor: SimulatedProvider
) -> None:
    settings = Settings(data_dir=tmp_path, admin_key=SecretStr("a-key-of-this-test"))
    house = bootstrap.build(settings, providers={"simulated": vendor})

    async with api(house, reconcile=False) as client:
        for path in ("/docs", "/docs/begin.js", "/openapi.json"):
            assert (await client.get(path)).status_code == 200
        refused(await client.get("/jobs"), 401, "unauthorized")


@pytest.mark.parametrize("path", ["/docs", "/docs/begin.js", "/openapi.json"])
async def test_without_a_key_it_is_for_this_machine_only(
    idle_client: httpx.AsyncClient, path: str
) -> None:
    refused(await idle_client.get(path, headers={"Host": "example.com"}), 403, "forbidden")
