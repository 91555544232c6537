"""Objects with the operator's credentials: under listed prefixes, and nowhere else."""

from collections.abc import Sequence
from typing import Any

import pytest
from obstore.store import AzureStore, GCSStore, MemoryStore, ObjectStore, S3Store

from app.domain.errors import UrlRefused, UrlUnreachable
from app.network.buckets import PIECE_BYTES, SCHEMES, Buckets
from app.network.patience import Patience
from tests.network.hosts import listening
from tests.network.shelf import Shelf, shelved

CONTENT = b'{"prompt": "a", "completion": "b"}\n'


async def fetched(buckets: Buckets, url: str) -> bytes:
    """The object behind a URL."""
    return b"".join([piece async for piece in buckets.pieces(url)])


def in_memory(*keys: str, listed: Sequence[str]) -> Buckets:
    """The same objects in whatever bucket is opened."""
    store = MemoryStore()
    for key in keys:
        store.put(key, CONTENT)
    return Buckets(listed, open_bucket=lambda url: store)


def over_http(port: int) -> Buckets:
    """A bucket of any vendor that is served at that port."""
    served = f"http://127.0.0.1:{port}"

    def open_bucket(url: str) -> ObjectStore:
        scheme, _, name = url.partition("://")
        options: Any = {
            "skip_signature": True,
            "client_options": {"allow_http": True},
            "retry_config": {"max_retries": 0},
        }
        if scheme == "s3":
            return S3Store(name, endpoint=served, region="here", **options)
        if scheme == "gs":
            return GCSStore(name, base_url=served, **options)
        return AzureStore(name, account_name="account", endpoint=served, **options)

    listed = [f"{scheme}://team/" for scheme in SCHEMES]
    return Buckets(listed, open_bucket=open_bucket, patience=Patience(idle=2))


@pytest.mark.parametrize("listed", ["s3://team", "s3://team/", "s3://team/a", "s3://team/a/b c"])
async def test_an_object_under_a_listed_prefix(listed: str) -> None:
    buckets = in_memory("a/b c", listed=["gs://other/", listed])
    assert await fetched(buckets, "s3://team/a/b c") == CONTENT


REFUSED = [
    "s3://team/b",
    "s3://team/ab",
    "s3://team/a/../b",
    "s3://team/a/./b",
    "s3://team/a//b",
    "s3://team//a/b",
    "s3://team/a/",
    "s3://team/a",
    "s3://team",
    "s3://team/",
    "s3://team@other/a/b",
    "s3://team:80/a/b",
    "s3://team/a/b?versionId=1",
    "s3://team/a/b#c",
    "s3://team/a/b\\..\\c",
    "s3://team/a/b\n",
    "s3://teams/a/b",
    "gs://team/a/b",
    "az://team/a/b",
    "S3://team/a/b",
    "s3a://team/a/b",
]


@pytest.mark.parametrize("url", REFUSED)
async def test_all_else_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        await fetched(in_memory("a/b", "b", "ab", listed=["s3://team/a/"]), url)


async def test_nothing_is_listed_at_first() -> None:
    with pytest.raises(UrlRefused, match="LUTHIER_DATASET_SOURCES"):
        await fetched(Buckets(), "s3://team/a")


async def test_an_object_that_is_not_there() -> None:
    with pytest.raises(UrlUnreachable, match="no such object"):
        await fetched(in_memory(listed=["s3://team"]), "s3://team/a")


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_large_object_comes_in_ranges(scheme: str) -> None:
    content = CONTENT * (PIECE_BYTES // len(CONTENT) + 1)
    async with shelved(Shelf(content)) as port:
        assert await fetched(over_http(port), f"{scheme}://team/a/b c") == content


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_object_that_changes_meanwhile_is_no_file(scheme: str) -> None:
    shelf = Shelf(b"a" * (PIECE_BYTES + 1))
    shelf.next_content = b"b" * (PIECE_BYTES + 1)
    async with shelved(shelf) as port:
        with pytest.raises(UrlUnreachable, match="changed"):
            await fetched(over_http(port), f"{scheme}://team/a")


async def test_an_object_that_is_cut_short_is_no_file() -> None:
    shelf = Shelf(CONTENT)
    shelf.missing_bytes = 1
    async with shelved(shelf) as port:
        with pytest.raises(UrlUnreachable):
            await fetched(over_http(port), "s3://team/a")


BROKEN = {
    "forbidden": [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"],
    "an accident": [b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"],
    "silence": [b""],
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_store_that_does_not_answer(what: str) -> None:
    async with listening({"/team/a": BROKEN[what]}) as host:
        with pytest.raises(UrlUnreachable):
            await fetched(over_http(host.port), "s3://team/a")
