"""Unpacking gzip and zstd while they stream in, with nothing that can blow up."""

import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

from app.domain.reading.rows import FileUnreadable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

WINDOW_BYTES = 64 * 1024
MAX_WINDOW_OUTPUT = 16 * 1024 * 1024
"""What 64 KiB of a packed file may hold: text packs to a tenth, never to a 256th."""

MAX_ZSTD_WINDOW_LOG = 26
"""64 MiB of memory for one upload; zstd itself needs that much from level 20 on."""

_CHUNK = 1024 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_MAGIC_BYTES = 4


class Decompressor(Protocol):
    """One gzip member or zstd frame, as the standard library reads all its formats."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Unpacker:
    """Looks at the first bytes, then gives the file's content in pieces of at most 1 MiB."""

    def __init__(self) -> None:
        self._head = b""
        self._is_plain = False
        self._name = ""
        self._member: Decompressor | None = None
        self._members = 0
        self._member_output = 0
        self._window_left = WINDOW_BYTES
        self._window_output = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The content that the piece holds; raises `FileUnreadable`."""
        if not (self._is_plain or self._name):
            self._head += piece
            if len(self._head) < _MAGIC_BYTES:
                return
            piece = self._recognise()
        if self._is_plain:
            yield piece
        else:
            yield from self._unpack(piece)

    def finish(self) -> Iterator[bytes]:
        """What is left of a very short file; raises `FileUnreadable` for one that is cut off."""
        if not (self._is_plain or self._name):
            yield self._recognise()
        elif self._member is not None:
            raise FileUnreadable(
                "packed_cut_off", f"The {self._name} file ends too early; send it again."
            )

    def _recognise(self) -> bytes:
        head, self._head = self._head, b""
        if head.startswith(_GZIP):
            self._name = "gzip"
        elif head.startswith(_ZSTD):
            self._name = "zstd"
        else:
            self._is_plain = True
        return head

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        while data:
            part, data = data[: self._window_left], data[self._window_left :]
            yield from self._unpack_part(part)
            self._window_left -= len(part)
            if self._window_left == 0:
                self._window_left, self._window_output = WINDOW_BYTES, 0

    def _unpack_part(self, data: bytes) -> Iterator[bytes]:
        while data:
            member = self._member or self._begin_member()
            try:
                content = member.decompress(data, _CHUNK)
                self._count(content)
                yield content
                while not (member.needs_input or member.eof):
                    content = member.decompress(b"", _CHUNK)
                    self._count(content)
                    yield content
            except (zlib.error, zstd.ZstdError) as error:
                raise self._broken(error) from error
            self._member = None if member.eof else member
            data = member.unused_data if member.eof else b""

    def _begin_member(self) -> Decompressor:
        self._members += 1
        self._member_output = 0
        if self._name == "gzip":
            return _GzipMember()
        window = {int(zstd.DecompressionParameter.window_log_max): MAX_ZSTD_WINDOW_LOG}
        return zstd.ZstdDecompressor(options=window)

    def _count(self, content: bytes) -> None:
        self._member_output += len(content)
        self._window_output += len(content)
        if self._window_output > MAX_WINDOW_OUTPUT:
            raise FileUnreadable(
                "expands_too_much",
                f"The {self._name} file expands more than 256 times, as no text does; send it "
                "unpacked.",
            )

    def _broken(self, error: Exception) -> FileUnreadable:
        if self._members > 1 and not self._member_output:
            return FileUnreadable(
                "packed_trailing", f"Something that is not {self._name} follows its end."
            )
        return FileUnreadable(
            "packed_broken", f"The {self._name} file is damaged: {error}; pack and send it again."
        )


class _GzipMember:
    """zlib's object with the face that the standard library's other ones have."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        content = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(content) < max_length
        return content
