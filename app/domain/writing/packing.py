"""Packing with gzip or zstd while it streams out."""

import zlib
from enum import StrEnum
from typing import Protocol

from app.domain.reading.packing import zstd


class Compression(StrEnum):
    """How a file is packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class Packer(Protocol):
    """A stream of bytes made smaller, as the standard library does it."""

    def compress(self, data: bytes, /) -> bytes:
        """What can go out already."""
        ...

    def flush(self) -> bytes:
        """The rest."""
        ...


def open_packer(compression: Compression) -> Packer:
    """A packer; the same bytes pack the same at any time."""
    if compression is Compression.GZIP:
        return zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    return zstd.ZstdCompressor() if compression is Compression.ZSTD else _Plain()


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""
