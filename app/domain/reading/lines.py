"""JSON Lines: one row on each line."""

from collections.abc import Iterator

from app.domain.examples import MAX_LINE_BYTES
from app.domain.reading.rows import RAW_KEPT, Block, Row, too_long


class LineReader:
    """Cuts at line ends; blank lines count and give no row."""

    def __init__(self) -> None:
        self._line = 1
        self._rest = bytearray()
        self._is_skipping = False

    def feed(self, piece: bytes) -> Iterator[Row | Block]:
        """All lines that the piece ends."""
        start, end = 0, piece.rfind(b"\n") + 1
        if self._is_skipping and end:
            start = piece.find(b"\n") + 1
            yield self._take_endless()
        if start < end:
            block = Block(self._line, b"".join((self._rest, memoryview(piece)[start:end])))
            self._rest.clear()
            yield block
            self._line += block.count_lines()
        self._hold(piece[end:])

    def finish(self) -> Iterator[Row | Block]:
        """A last line without a line end."""
        if self._is_skipping:
            yield self._take_endless()
        elif self._rest:
            yield Block(self._line, bytes(self._rest))

    def _hold(self, part: bytes) -> None:
        """Keep the beginning of a line; the rest of an endless one is read past."""
        if not self._is_skipping:
            self._rest += part
        if len(self._rest) > MAX_LINE_BYTES:
            self._is_skipping = True
            del self._rest[RAW_KEPT:]

    def _take_endless(self) -> Row:
        row = Row(self._line, bytes(self._rest), too_long())
        self._line += 1
        self._rest.clear()
        self._is_skipping = False
        return row
