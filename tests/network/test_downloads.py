"""Downloads: whole files from public hosts, and nothing from anywhere else."""

from typing import Any

import pytest

from app.domain.errors import UrlRefused, UrlUnreachable
from app.network.downloads import Downloads
from app.network.patience import Patience
from tests.network.hosts import LOOPBACK, Names, file, listening, redirect

CONTENT = b'{"prompt": "a", "completion": "b"}\n'

HASTY = Patience(connect=0.5, idle=0.5, whole=1)


async def fetched(url: str, **options: Any) -> bytes:
    """The file behind a URL, with loopback opened."""
    downloads = Downloads(LOOPBACK, **options)
    return b"".join([piece async for piece in downloads.pieces(url)])


async def test_a_file_comes_as_it_is() -> None:
    async with listening({"/a?signature=x": file(CONTENT)}) as host:
        assert await fetched(f"http://127.0.0.1:{host.port}/a?signature=x#part") == CONTENT
    [head] = host.requests
    assert "accept-encoding: identity\r\n" in head.lower()
    assert "cookie" not in head.lower()


async def test_the_host_is_told_the_name_and_not_the_address() -> None:
    names = Names(files=[["127.0.0.1"]])
    async with listening({"/": file(CONTENT)}) as host:
        await fetched(f"http://files:{host.port}/", resolve=names.resolve)
    assert f"Host: files:{host.port}\r\n" in host.requests[0]


async def test_a_packed_file_stays_packed() -> None:
    async with listening({"/": file(b"\x1f\x8b...", "Content-Encoding: gzip")}) as host:
        assert await fetched(f"http://127.0.0.1:{host.port}/") == b"\x1f\x8b..."


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with listening({"/": file(CONTENT)}) as host:
        assert await fetched(f"http://127.0.0.1:{host.port}/") == CONTENT


REFUSED_URLS = [
    "file:///etc/passwd",
    "ftp://files.example/a",
    "gopher://127.0.0.1:6379/_",
    "data:text/plain,a",
    "//files.example/a",
    "files.example/a",
    "https://",
    "https:///a",
    "https://user:secret@files.example/a",
    "https://user@files.example/a",
    "https://files.example:99999/a",
    "https://files.example:0/a",
    "https://[::1",
    "http://8.8.8.8/plain",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fd00:ec2::254]/",
    "https://10.0.0.1/",
    "https://0xa9.0xfe.0xa9.0xfe/",
    "https://2852039166/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://①⑥⑨.254.169.254/",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
async def test_these_are_not_even_tried(url: str) -> None:
    with pytest.raises(UrlRefused):
        await fetched(url)


async def test_loopback_is_closed_until_an_operator_opens_it() -> None:
    async with listening({"/": file(CONTENT)}) as host:
        for name in ("127.0.0.1", "localhost", "2130706433", "127.1", "0x7f000001", "0"):
            with pytest.raises(UrlRefused):
                [_ async for _ in Downloads().pieces(f"http://{name}:{host.port}/")]
    assert host.visits == 0


async def test_one_bad_address_spoils_a_name() -> None:
    names = Names(mixed=[["127.0.0.1", "10.0.0.1"]])
    async with listening({"/": file(CONTENT)}) as host:
        with pytest.raises(UrlRefused, match="not only"):
            await fetched(f"http://mixed:{host.port}/", resolve=names.resolve)
    assert host.visits == 0


async def test_a_name_that_changes_its_mind_changes_nothing() -> None:
    names = Names(fickle=[["127.0.0.1"], ["10.0.0.1"]])
    async with listening({"/": file(CONTENT)}) as host:
        assert await fetched(f"http://fickle:{host.port}/", resolve=names.resolve) == CONTENT
    assert names.asked == ["fickle"]


async def test_a_name_is_judged_again_at_every_redirect() -> None:
    names = Names(fickle=[["127.0.0.1"], ["169.254.169.254"]])
    async with listening({"/": redirect("/again")}) as host:
        with pytest.raises(UrlRefused):
            await fetched(f"http://fickle:{host.port}/", resolve=names.resolve)
    assert names.asked == ["fickle", "fickle"]
    assert host.visits == 1


async def test_the_next_address_is_tried_where_the_first_is_silent() -> None:
    names = Names(files=[["127.0.0.9", "127.0.0.1"]])
    async with listening({"/": file(CONTENT)}) as host:
        assert await fetched(f"http://files:{host.port}/", resolve=names.resolve) == CONTENT


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(status: int) -> None:
    script = {"/": redirect("/b/../there", status), "/there": file(CONTENT)}
    async with listening(script) as host:
        assert await fetched(f"http://127.0.0.1:{host.port}/") == CONTENT


BAD_REDIRECTS = {
    "https://10.0.0.1/": UrlRefused,
    "//169.254.169.254/latest/": UrlRefused,
    "file:///etc/passwd": UrlRefused,
    "s3://bucket/key": UrlRefused,
    "https://user:secret@127.0.0.1/": UrlRefused,
    "http://127.0.0.1:99999/": UrlRefused,
    "https://[::1": UrlUnreachable,
    "/": UrlUnreachable,
}


@pytest.mark.parametrize("location", BAD_REDIRECTS)
async def test_these_redirects_are_not(location: str) -> None:
    async with listening({"/": redirect(location)}) as host:
        with pytest.raises(BAD_REDIRECTS[location]):
            await fetched(f"http://127.0.0.1:{host.port}/")
    assert host.visits <= 6


UNUSABLE = {
    "nothing there": [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
    "a part only": [b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\n", b"a"],
    "cut short": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", CONTENT],
    "cut short in chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    "of no length": [b"HTTP/1.1 200 OK\r\n\r\n", CONTENT],
    "packed oddly": file(CONTENT, "Content-Encoding: br"),
    "not HTTP": [b"220 mail.example ESMTP\r\n"],
    "no answer": [],
    "silent from the start": [b""],
    "silent in between": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", CONTENT, b""],
}


@pytest.mark.parametrize("what", UNUSABLE)
async def test_nothing_counts_but_a_whole_file(what: str) -> None:
    async with listening({"/": UNUSABLE[what]}) as host:
        with pytest.raises(UrlUnreachable):
            await fetched(f"http://127.0.0.1:{host.port}/", patience=HASTY)


async def test_a_file_that_never_ends_is_left_behind() -> None:
    endless = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n"] * 5, b""]
    async with listening({"/": endless}) as host:
        with pytest.raises(UrlUnreachable, match="slowly"):
            await fetched(f"http://127.0.0.1:{host.port}/", patience=Patience(idle=9, whole=0.3))
        await host.is_left.wait()


async def test_whoever_has_enough_may_leave() -> None:
    many = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"a", b""]
    async with listening({"/": many}) as host:
        pieces = Downloads(LOOPBACK).pieces(f"http://127.0.0.1:{host.port}/")
        assert await anext(pieces) == b"a"
        await pieces.aclose()
        await host.is_left.wait()


@pytest.mark.parametrize("name", ["nobody.invalid", f"{'a' * 64}.invalid"])
async def test_a_name_that_nobody_has(name: str) -> None:
    with pytest.raises(UrlUnreachable, match="no such host"):
        await fetched(f"https://{name}/")


async def test_no_log_has_the_signature(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    script = {"/a?secret": redirect("/b?secret"), "/b?secret": file(CONTENT)}
    async with listening(script) as host:
        await fetched(f"http://127.0.0.1:{host.port}/a?secret")
    assert "secret" not in caplog.text
