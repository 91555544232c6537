"""JSON Lines, and one JSON list."""

from collections.abc import Sequence

import msgspec

from app.domain.writing.losses import Row

_encoder = msgspec.json.Encoder()


class LinesWriter:
    """One row on each line."""

    def begin(self) -> bytes:
        return b""

    def write(self, rows: Sequence[Row]) -> bytes:
        return _encoder.encode_lines(rows)

    def end(self) -> bytes:
        return b""


class ListWriter:
    """A list with one row on each line."""

    def __init__(self) -> None:
        self._is_first = True

    def begin(self) -> bytes:
        return b"[\n"

    def write(self, rows: Sequence[Row]) -> bytes:
        if not rows:
            return b""
        written = b",\n".join(map(_encoder.encode, rows))
        piece = written if self._is_first else b",\n" + written
        self._is_first = False
        return piece

    def end(self) -> bytes:
        return b"\n]\n"
