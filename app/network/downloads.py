"""Downloads over HTTP: every address on the way is judged, and nothing counts but a whole file."""

import ssl
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, contextmanager
from functools import cached_property
from typing import Any

import httpx

from app.domain.addresses import Network
from app.domain.errors import UrlRefused, UrlUnreachable
from app.network.patience import Deadline, Patience
from app.network.resolving import Resolve, resolve
from app.network.transport import PinnedTransport
from app.network.urls import parsed, without_password

MAX_REDIRECTS = 5

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "luthier",
}

_ENCODINGS = {"", "identity", "gzip", "x-gzip", "zstd"}
"""Packed files are taken in as they are, and unpacked within the bounds of every upload."""


class Downloads:
    """Files behind https URLs, piece by piece.

    Requests go through the transport itself and not through a client, which would log URLs with
    their signatures, keep cookies, and turn names in URLs into credentials.
    """

    def __init__(
        self,
        opened: Sequence[Network] = (),
        *,
        patience: Patience | None = None,
        resolve: Resolve = resolve,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._opened = opened
        self._patience = patience or Patience()
        self._resolve = resolve
        self._verify = verify

    async def pieces(self, url: str) -> AsyncGenerator[bytes]:
        """The file's bytes as they come; raises `UrlRefused`, `UrlUnreachable`."""
        deadline = Deadline(self._patience)
        async with self._transport() as transport:
            with _told():
                answer = await self._answer(transport, _acceptable(parsed(url)), deadline)
                pieces = deadline.paced(answer.aiter_raw())
                async with aclosing(answer), aclosing(pieces):
                    async for piece in pieces:
                        yield piece

    async def _answer(
        self, transport: PinnedTransport, place: httpx.URL, deadline: Deadline
    ) -> httpx.Response:
        """The answer at the end of all redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            request = httpx.Request("GET", place, headers=_HEADERS, extensions=self._extensions())
            async with deadline.waiting():
                answer = await transport.handle_async_request(request)
            if not answer.has_redirect_location:
                return _whole(answer, place)
            await answer.aclose()
            place = _next(place, answer.headers["location"])
        raise UrlUnreachable(f"There are more than {MAX_REDIRECTS} redirects; give the last URL.")

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return self._verify or httpx.create_ssl_context()

    def _transport(self) -> PinnedTransport:
        return PinnedTransport(self._opened, resolve=self._resolve, verify=self._certificates)

    def _extensions(self) -> dict[str, Any]:
        timeout = httpx.Timeout(self._patience.idle, connect=self._patience.connect)
        return {"timeout": timeout.as_dict()}


def _next(place: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads to."""
    try:
        found = _acceptable(place.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise UrlUnreachable(f"{place.host} redirects to what is no URL.") from error
    if place.scheme == "https" and found.scheme != "https":
        raise UrlRefused(f"{place.host} redirects from https to http, which anybody can change.")
    return found


def _acceptable(url: httpx.URL) -> httpx.URL:
    if url.scheme not in {"https", "http"}:
        raise UrlRefused("Only https, s3, gs and az can be fetched from.")
    return without_password(url)


def _whole(answer: httpx.Response, place: httpx.URL) -> httpx.Response:
    """The answer if it brings a file whose end can be told."""
    if answer.status_code != 200:
        raise UrlUnreachable(f"{place.host} answers {answer.status_code} instead of the file.")
    encoding = answer.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise UrlUnreachable(f"{place.host} packs the file as {encoding[:40]!r}; use gzip or none.")
    if not answer.headers.keys() & {"content-length", "transfer-encoding"}:
        # Such a body ends where the connection does: nobody would notice that it was cut off.
        raise UrlUnreachable(f"{place.host} does not say how long the file is.")
    return answer


@contextmanager
def _told() -> Generator[None]:
    """Say what went wrong on the way in words of ours."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise UrlUnreachable("The host does not answer in time; try again.") from error
    except httpx.ConnectError as error:
        raise UrlUnreachable(f"The host cannot be reached: {error}.") from error
    except httpx.TransportError as error:
        raise UrlUnreachable(
            "The connection broke off before the end of the file; nothing was stored. Try again."
        ) from error
