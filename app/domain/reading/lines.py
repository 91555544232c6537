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
        """The line that the piece ends, then all that lie in it whole."""
        first_end, last_end = piece.find(b"\n"), piece.rfind(b"\n")
        if first_end < 0:
            self._hold(piece)
            return
        self._hold(piece[:first_end])
        yield self._take_held()
        whole = piece[first_end + 1 : last_end + 1]
        if whole:
            yield Block(self._line, whole)
            self._line += whole.count(b"\n")
        self._hold(piece[last_end + 1 :])

    def finish(self) -> Iterator[Row | Block]:
        """A last line without a line end."""
        if self._rest or self._is_skipping:
            yield self._take_held()

    def _hold(self, part: bytes) -> None:
        """Keep the beginning of a line; the rest of an endless one is read past."""
        if not self._is_skipping:
            self._rest += part
        if len(self._rest) > MAX_LINE_BYTES:
            self._is_skipping = True
            del self._rest[RAW_KEPT:]

    def _take_held(self) -> Row | Block:
        number, line, is_too_long = self._line, bytes(self._rest), self._is_skipping
        self._line += 1
        self._rest.clear()
        self._is_skipping = False
        return Row(number, line, too_long()) if is_too_long else Block(number, line)
