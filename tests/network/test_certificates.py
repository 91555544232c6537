"""TLS: the certificate has to be for the name, though the connection goes to an address."""

import ssl

import pytest
import trustme

from app.domain.errors import UrlRefused, UrlUnreachable
from app.network.downloads import Downloads
from tests.network.hosts import LOOPBACK, Names, file, listening, redirect

NAMES = Names(**{"files.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of one's own."""
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """A host with a certificate for files.example."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("files.example").configure_cert(context)
    return context


@pytest.fixture
def downloads(authority: trustme.CA) -> Downloads:
    """Downloads by somebody who trusts that authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Downloads(LOOPBACK, resolve=NAMES.resolve, verify=context)


async def fetched(downloads: Downloads, url: str) -> bytes:
    """The file behind a URL."""
    return b"".join([piece async for piece in downloads.pieces(url)])


async def test_the_name_of_the_url_is_on_the_certificate(
    downloads: Downloads, tls: ssl.SSLContext
) -> None:
    async with listening({"/": file(b"a")}, tls=tls) as host:
        assert await fetched(downloads, f"https://files.example:{host.port}/") == b"a"


async def test_another_name_is_not(downloads: Downloads, tls: ssl.SSLContext) -> None:
    async with listening({"/": file(b"a")}, tls=tls) as host:
        with pytest.raises(UrlUnreachable, match=r"not valid for 'other\.example'"):
            await fetched(downloads, f"https://other.example:{host.port}/")
        with pytest.raises(UrlUnreachable, match="not valid for"):
            await fetched(downloads, f"https://127.0.0.1:{host.port}/")
    assert host.requests == []


async def test_a_redirect_to_another_name_shakes_hands_again(
    downloads: Downloads, tls: ssl.SSLContext
) -> None:
    async with listening({"/": file(b"a")}, tls=tls) as host:
        host.script["/there"] = redirect(f"https://other.example:{host.port}/")
        with pytest.raises(UrlUnreachable, match=r"not valid for 'other\.example'"):
            await fetched(downloads, f"https://files.example:{host.port}/there")
    assert len(host.requests) == 1


async def test_nobody_is_led_from_https_to_http(downloads: Downloads, tls: ssl.SSLContext) -> None:
    async with listening({"/": redirect("http://files.example:1/")}, tls=tls) as host:
        with pytest.raises(UrlRefused, match="from https to http"):
            await fetched(downloads, f"https://files.example:{host.port}/")


async def test_an_authority_that_nobody_trusts(tls: ssl.SSLContext) -> None:
    async with listening({"/": file(b"a")}, tls=tls) as host:
        with pytest.raises(UrlUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
            await fetched(
                Downloads(LOOPBACK, resolve=NAMES.resolve),
                f"https://files.example:{host.port}/",
            )
    assert host.requests == []
