"""Taking in a file of examples piece by piece: checked, made canonical, hashed, never whole."""

import hashlib

from app.domain.datasets import DatasetKind
from app.domain.errors import DatasetEmpty, DatasetInvalid, Fault
from app.domain.examples import (
    MAX_LINE_BYTES,
    RowInvalid,
    decode_row,
    encode_example,
    kind_of,
)

FAULTS_KEPT = 100
"""How many faults are told in full; the rest are counted."""

_BOM = b"\xef\xbb\xbf"


class Intake:
    """Give the file's pieces to `feed`, then call `finish`; both give back canonical lines.

    After the first fault no more lines come back: there will be no dataset, only a full list of
    what is wrong. Memory is bounded by the longest line that is allowed.
    """

    def __init__(self) -> None:
        self.examples = 0
        self.bytes = 0
        self.fault_count = 0
        self.faults: list[Fault] = []
        self.kind: DatasetKind | None = None
        self.format: str | None = None
        self._line = 0
        self._rest = bytearray()
        self._is_skipping = False
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The hash of all canonical lines so far."""
        return self._hash.hexdigest()

    def feed(self, piece: bytes) -> bytes:
        """The canonical form of the lines that the piece completes."""
        begun, *others = piece.split(b"\n")
        self._hold(begun)
        if not others:
            return b""
        *whole, last = others
        lines = [self._take_held(), *(self._take(line) for line in whole)]
        self._hold(last)
        return self._out(lines)

    def finish(self) -> bytes:
        """The canonical form of a last line without a line end; raises `DatasetInvalid`."""
        last = self._out([self._take_held()]) if self._rest or self._is_skipping else b""
        if self.fault_count:
            raise DatasetInvalid(
                _verdict(self.fault_count), faults=self.faults, fault_count=self.fault_count
            )
        if not self.examples:
            raise DatasetEmpty("The file holds no example; send at least one row.")
        return last

    def _hold(self, part: bytes) -> None:
        """Keep the beginning of a line; the rest of an endless one is read past."""
        if not self._is_skipping:
            self._rest += part
        if len(self._rest) > MAX_LINE_BYTES:
            self._is_skipping = True
            self._rest.clear()

    def _take_held(self) -> bytes:
        line = bytes(self._rest)
        self._rest.clear()
        return self._take(line)

    def _out(self, lines: list[bytes]) -> bytes:
        canonical = b"".join(lines)
        self.bytes += len(canonical)
        self._hash.update(canonical)
        return canonical

    def _take(self, line: bytes) -> bytes:
        self._line += 1
        if self._line == 1:
            line = line.removeprefix(_BOM)
        if self._is_skipping or len(line) > MAX_LINE_BYTES:
            self._is_skipping = False
            self._note(_too_long().at(self._line))
            return b""
        line = line.strip()
        return self._check(line) if line else b""

    def _check(self, line: bytes) -> bytes:
        try:
            format_, example = decode_row(line)
            self._same_kind(kind_of(example))
        except RowInvalid as invalid:
            self._note(invalid.at(self._line))
            return b""
        self.format = self.format or format_
        self.examples += 1
        return b"" if self.fault_count else encode_example(example) + b"\n"

    def _same_kind(self, kind: DatasetKind) -> None:
        if self.kind is None:
            self.kind = kind
        elif kind is not self.kind:
            raise RowInvalid(
                "kind_mixed",
                f"This row is a {kind} example in a {self.kind} dataset; upload them apart.",
            )

    def _note(self, fault: Fault) -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)


def _too_long() -> RowInvalid:
    return RowInvalid(
        "line_too_long",
        f"The line is longer than {MAX_LINE_BYTES // 1024 // 1024} MiB; no model reads that much.",
    )


def _verdict(count: int) -> str:
    rows = "1 row is" if count == 1 else f"{count} rows are"
    return (
        f"{rows} wrong; nothing was stored. Mend the lines that `errors` names and send it again."
    )
