"""The courier: one message to one address that a user named, and the beginning of the answer."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import httpx

from app.domain.addresses import Network
from app.domain.errors import UrlRefused
from app.domain.webhook_deliveries import Outcome
from app.network.resolving import Resolve, resolve
from app.network.transport import PinnedTransport
from app.network.urls import parsed

TIMEOUT_SECONDS = 15.0
"""For everything, from the name's resolution to the answer's beginning."""

ANSWER_BYTES = 1024
"""What is kept of an answer."""

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "Content-Type": "application/json",
    "User-Agent": "luthier",
}


class Courier:
    """Posts messages; every address is judged and pinned anew, and no redirect is followed."""

    def __init__(
        self,
        opened: Sequence[Network] = (),
        *,
        timeout: float = TIMEOUT_SECONDS,
        resolve: Resolve = resolve,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._opened = opened
        self._timeout = timeout
        self._resolve = resolve
        self._verify = verify

    async def check(self, url: str) -> None:
        """Raise `UrlRefused` where no message would be sent; a name without an address may come."""
        async with self._transport() as transport:
            try:
                await transport.judge(self._request(url, {}, b""))
            except httpx.TransportError:
                return

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """What came of it; never raises for what the other side does, or does not do."""
        end = asyncio.get_running_loop().time() + self._timeout
        try:
            async with self._transport() as transport:
                async with asyncio.timeout_at(end):
                    request = self._request(url, headers, body)
                    answer = await transport.handle_async_request(request)
                return Outcome(answer.status_code, await _beginning(answer, end))
        except UrlRefused as error:
            return Outcome(problem=error.detail)
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(problem=f"No answer came within {self._timeout:g} seconds.")
        except httpx.ConnectError as error:
            return Outcome(problem=f"The host cannot be reached: {error}.")
        except httpx.TransportError:
            return Outcome(problem="The connection broke off before an answer came.")

    def _request(self, url: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
        return httpx.Request(
            "POST",
            parsed(url),
            headers={**_HEADERS, **headers},
            content=body,
            extensions=self._extensions(),
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return self._verify or httpx.create_ssl_context()

    def _transport(self) -> PinnedTransport:
        return PinnedTransport(self._opened, resolve=self._resolve, verify=self._certificates)

    def _extensions(self) -> dict[str, Any]:
        return {"timeout": httpx.Timeout(self._timeout).as_dict()}


async def _beginning(answer: httpx.Response, end: float) -> str:
    """What a person may read; the status has decided, so that the rest may break off."""
    read = b""
    try:
        async with asyncio.timeout_at(end):
            async for piece in answer.aiter_raw():
                read += piece
                if len(read) >= ANSWER_BYTES:
                    break
    except (TimeoutError, httpx.TransportError):
        pass
    finally:
        await answer.aclose()
    return read[:ANSWER_BYTES].decode(errors="replace")
