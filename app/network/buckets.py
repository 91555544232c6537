"""Files in object stores, read with the operator's own credentials, where the operator says so."""

import re
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

import msgspec
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, from_url

from app.domain.errors import UrlRefused, UrlUnreachable
from app.network.patience import Deadline, Patience

if TYPE_CHECKING:
    from obstore import GetOptions

SCHEMES = ("s3", "gs", "az")

PIECE_BYTES = 4 * 1024 * 1024
"""Asked for at once: object stores' clients end a request after 30 seconds, however it goes."""

_URL = re.compile(r"(s3|gs|az)://([A-Za-z0-9][A-Za-z0-9._-]*)/([^?#\\\x00-\x1f\x7f]+)")


class Place(msgspec.Struct, frozen=True):
    """One object."""

    bucket: str
    """With its scheme: `s3://bucket`, or a container of the configured Azure account."""

    key: str


class Buckets:
    """Objects under the prefixes that the operator listed, piece by piece."""

    def __init__(
        self,
        listed: Sequence[str] = (),
        *,
        patience: Patience | None = None,
        open_bucket: Callable[[str], ObjectStore] = from_url,
    ) -> None:
        self._listed = listed
        self._patience = patience or Patience()
        self._open_bucket = open_bucket

    async def pieces(self, url: str) -> AsyncGenerator[bytes]:
        """The object's bytes as they come; raises `UrlRefused`, `UrlUnreachable`."""
        place, deadline = self._listed_place(url), Deadline(self._patience)
        with _told():
            pieces = _ranges(self._open_bucket(place.bucket), place.key, deadline)
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece

    def _listed_place(self, url: str) -> Place:
        place = _parsed(url)
        if not any(_is_under(url, prefix) for prefix in self._listed):
            raise UrlRefused(
                f"Nobody allowed to read from {place.bucket} here: everybody could read it with "
                "the service's credentials. An operator can list prefixes in "
                "LUTHIER_DATASET_SOURCES; a signed https URL needs no such leave."
            )
        return place


def _parsed(url: str) -> Place:
    match = _URL.fullmatch(url)
    if match is None or not _is_plain(match[3]):
        raise UrlRefused("The URL of an object is s3://bucket/key, with gs and az for s3.")
    return Place(f"{match[1]}://{match[2]}", match[3])


def _is_under(url: str, prefix: str) -> bool:
    """Up to a slash, so that s3://data does not open s3://data-of-others."""
    return url == prefix or url.startswith(f"{prefix.rstrip('/')}/")


def _is_plain(key: str) -> bool:
    return all(part not in {"", ".", ".."} for part in key.split("/"))


async def _ranges(store: ObjectStore, key: str, deadline: Deadline) -> AsyncGenerator[bytes]:
    async with deadline.waiting():
        found = await store.head_async(key)
    size, tag = found["size"], found["e_tag"]
    wanted: GetOptions = {} if tag is None else {"if_match": tag}
    for start in range(0, size, PIECE_BYTES):
        end = min(start + PIECE_BYTES, size)
        async with deadline.waiting():
            answer = await store.get_async(key, options={**wanted, "range": (start, end)})
            piece = bytes(await answer.bytes_async())
        if len(piece) != end - start:
            raise UrlUnreachable("The object is shorter than its store says; nothing was stored.")
        yield piece


@contextmanager
def _told() -> Generator[None]:
    """Say what went wrong in words of ours; what the store says may name what is not for users."""
    try:
        yield
    except FileNotFoundError as error:
        raise UrlUnreachable("There is no such object.") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise UrlUnreachable("The service's credentials do not open that object.") from error
    except PreconditionError as error:
        raise UrlUnreachable("The object changed while it was read; try again.") from error
    except (BaseError, OSError, ValueError) as error:
        raise UrlUnreachable(
            "The object store does not answer as it should; nothing was stored. Try again, and "
            "ask the operator whether the service has credentials for it."
        ) from error
