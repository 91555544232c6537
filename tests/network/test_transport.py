"""The transport under a client of httpx: any request, with the same judgement."""

from ipaddress import ip_network

import httpx
import pytest

from app.domain.errors import UrlRefused
from app.network.transport import PinnedTransport
from tests.network.hosts import LOOPBACK, Names, file, listening


async def test_a_body_goes_to_the_next_address_whole() -> None:
    names = Names(hook=[["127.0.0.9", "127.0.0.1"]])
    transport = PinnedTransport(LOOPBACK, resolve=names.resolve)
    async with (
        listening({"/": file(b"ok")}) as host,
        httpx.AsyncClient(transport=transport) as client,
    ):
        answer = await client.post(f"http://hook:{host.port}/", json={"a": 1})
    assert answer.text == "ok"
    assert "content-length: 7\r\n" in host.requests[0].lower()


async def test_a_client_is_refused_as_well() -> None:
    async with listening({}) as host, httpx.AsyncClient(transport=PinnedTransport()) as client:
        with pytest.raises(UrlRefused):
            await client.post(f"https://localhost:{host.port}/")
    assert host.visits == 0


async def test_addresses_of_version_6() -> None:
    transport = PinnedTransport([ip_network("::1")])
    async with (
        listening({"/": file(b"ok")}, "::1") as host,
        httpx.AsyncClient(transport=transport) as client,
    ):
        assert (await client.get(f"http://[::1]:{host.port}/")).text == "ok"
        with pytest.raises(UrlRefused):
            await client.get(f"http://127.0.0.1:{host.port}/")
