"""Questions on their way to a vendor: to send one through the SDK costs six times as much.

Jobs and files go through the SDK; this has its address, credentials and certificates.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode
from urllib.request import getproxies, proxy_bypass

import httpx2
import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from openai import APIStatusError, AsyncOpenAI

from app.providers.openai_wire.refusals import Unanswered

PATH = "chat/completions"

MOST_CONNECTIONS = 1000
"""As many as the SDK would open."""


class Post:
    """Sends to one account what `client` has the address and the headers for.

    `path` is where a model is asked, by `{model}` where it stands in the address; `token` gives the
    bearer token where `client` holds no key; `timeout` is for each wait, in seconds.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        path: str = PATH,
        token: Callable[[], Awaitable[str]] | None = None,
        timeout: float,
    ) -> None:
        query = f"?{urlencode(client.default_query)}" if client.default_query else ""
        base = str(client.base_url.copy_with(userinfo=b"")).rstrip("/")
        self._address = f"{base}/{path}{query}"
        self._headers = _headers(client)
        self._token = token
        self._timeout = ClientTimeout(
            total=None, connect=timeout, sock_connect=timeout, sock_read=timeout
        )
        self._opened: ClientSession | None = None

    @asynccontextmanager
    async def sent(self, model: str, question: bytes) -> AsyncGenerator[ClientResponse]:
        """The answer to a question in JSON, whose body is still to be read inside the block.

        Raises `APIStatusError`, and `Unanswered` where the connection breaks, in the block as well.
        """
        headers = self._headers
        try:
            if self._token is not None:
                headers = headers | {"authorization": f"Bearer {await self._token()}"}
            address = self._address.replace("{model}", quote(model, safe=""))
            session = self._session()
            # Nobody is followed elsewhere: the key would go along.
            async with session.post(
                address, data=question, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status >= 300:
                    raise _refused(answer, await answer.read())
                yield answer
        except ClientError as error:
            # What the error itself says may name addresses that are nobody's business.
            raise Unanswered(_told(error)) from error

    async def close(self) -> None:
        """Let go of connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _session(self) -> ClientSession:
        if self._opened is None:
            self._opened = ClientSession(
                connector=TCPConnector(
                    limit=MOST_CONNECTIONS,
                    # The certificates that the SDK trusts.
                    ssl=httpx2.create_ssl_context(),
                ),
                # What a vendor wants remembered of one caller is not told for the next one.
                cookie_jar=DummyCookieJar(),
                timeout=self._timeout,
                proxy=_proxy(httpx2.URL(self._address)),
            )
        return self._opened


def _headers(client: AsyncOpenAI) -> dict[str, str]:
    """The SDK's, but for those that tell of this machine, or that are to be left out."""
    every = {name.lower(): value for name, value in client.auth_headers.items()}
    every |= {name.lower(): value for name, value in client.default_headers.items()}
    every["user-agent"] = "luthier"
    if client.base_url.userinfo:
        url = client.base_url
        every["authorization"] = encode_basic_auth(url.username, url.password)
    return {
        name: value
        for name, value in every.items()
        if isinstance(value, str) and not name.startswith("x-stainless-")
    }


def _proxy(url: httpx2.URL) -> str | None:
    """The proxy that the environment names for an address."""
    proxies = getproxies()
    if proxy_bypass(url.host):
        return None
    return proxies.get(url.scheme) or proxies.get("all")


def _told(error: ClientError) -> str:
    if isinstance(error, TimeoutError):
        return "No answer in time."
    if isinstance(error, ClientConnectorError):
        return "It cannot be reached."
    return "The connection broke."


def _refused(answer: ClientResponse, content: bytes) -> APIStatusError:
    """The refusal as the SDK would raise it, so that one table reads both."""
    patience = {name: value for name, value in answer.headers.items() if name.lower() in _PATIENCE}
    request = httpx2.Request("POST", str(answer.url))
    response = httpx2.Response(answer.status, headers=patience, content=content, request=request)
    message = response.text.strip() or f"Error code: {answer.status}"
    return APIStatusError(message, response=response, body=_body(content))


_PATIENCE = frozenset({"retry-after", "retry-after-ms"})
"""All that is read of a refusal's headers; its content is no longer encoded as others say."""


def _body(content: bytes) -> object:
    try:
        read = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None
    return read.get("error", read) if isinstance(read, dict) else read  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
