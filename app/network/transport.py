"""The transport for requests to addresses that users name: judged first, then held on to.

A name is resolved once for each request, every address it has is judged, and the connection goes
to one of those very addresses. A name that changes its mind in between changes nothing.
"""

import asyncio
import ssl
from collections.abc import Sequence

import httpx

from app.domain.addresses import Address, Network, is_opened, may_reach, parse_address
from app.domain.errors import UrlRefused
from app.network.resolving import Resolve, resolve

_PORTS = {"http": 80, "https": 443}

MAX_PORT = 2**16 - 1

ADDRESSES_TRIED = 4
"""Of one host, where the first does not answer."""


class PinnedTransport(httpx.AsyncBaseTransport):
    """Sends requests to public addresses, and to the networks that the operator opened.

    Raises `UrlRefused` before anything is sent; `httpx.ConnectError` also for a name without an
    address. Proxies of the environment are not asked: they would resolve the name again. Plain
    http goes to opened networks only.
    """

    def __init__(
        self,
        opened: Sequence[Network] = (),
        *,
        resolve: Resolve = resolve,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._opened = opened
        self._resolve = resolve
        # Connections are kept by address, so one that is kept could serve another host's name.
        self._inner = httpx.AsyncHTTPTransport(
            verify=verify or httpx.create_ssl_context(),
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first address that lets us in."""
        *others, last = (await self._judged(request))[:ADDRESSES_TRIED]
        for address in others:
            try:
                return await self._inner.handle_async_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # Nothing was sent: the next address may be tried.
                continue
        return await self._inner.handle_async_request(_pinned(request, last))

    async def judge(self, request: httpx.Request) -> None:
        """Raise what sending the request would raise before anything is sent."""
        await self._judged(request)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()

    async def _judged(self, request: httpx.Request) -> list[Address]:
        url = request.url
        if url.scheme not in _PORTS or not url.host or not 0 < _port(url) <= MAX_PORT:
            raise UrlRefused("The URL is not https://host/path.")
        addresses = await self._addresses(request)
        if not all(may_reach(address, self._opened) for address in addresses):
            raise UrlRefused(
                f"{url.host} is not, or not only, a public address. An operator can open a "
                "network with LUTHIER_ALLOW_PRIVATE_ADDRESSES."
            )
        if url.scheme == "http" and not all(is_opened(one, self._opened) for one in addresses):
            raise UrlRefused("Use https: plain http can be read and changed on its way.")
        return addresses

    async def _addresses(self, request: httpx.Request) -> list[Address]:
        url = request.url
        patience = request.extensions.get("timeout", {}).get("connect")
        try:
            async with asyncio.timeout(patience):
                found = await self._resolve(_host(request), _port(url))
        except TimeoutError as error:
            raise httpx.ConnectTimeout("its name servers do not answer", request=request) from error
        except OSError as error:
            raise httpx.ConnectError("there is no such host", request=request) from error
        if not found:
            raise httpx.ConnectError("there is no such host", request=request)
        return [parse_address(address) for address in found]


def _pinned(request: httpx.Request, address: Address) -> httpx.Request:
    """The request to an address in place of a name; name and certificate stay those of the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": _host(request)},
    )


def _port(url: httpx.URL) -> int:
    return _PORTS[url.scheme] if url.port is None else url.port


def _host(request: httpx.Request) -> str:
    return request.url.raw_host.decode("ascii")
