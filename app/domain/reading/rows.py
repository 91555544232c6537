"""What every reader gives back: rows with their place, or why the rest cannot be read."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

import msgspec

from app.domain.errors import Fault
from app.domain.examples import MAX_LINE_BYTES, RowInvalid

MAX_LINE_MIB = MAX_LINE_BYTES // 1024 // 1024

RAW_KEPT = 1000
"""How much of a row that is too long is kept to show which one it was."""


class Container(StrEnum):
    """How a file holds its rows, once it is unpacked."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row as JSON, or as it stands in the file with the reason why it could not be read."""

    line: int
    data: bytes
    invalid: RowInvalid | None = None
    raw: bytes | None = None
    """The row as it stands in the file where that is not `data`."""


class Block(msgspec.Struct, gc=False):
    """Whole lines that may be tried at once; `line` is the number of the first."""

    line: int
    data: bytes
    known_lines: int | None = None
    """How many lines there are, from whoever has read them all: counting costs a pass."""

    def count_lines(self) -> int:
        """How many lines end here."""
        return self.data.count(b"\n") if self.known_lines is None else self.known_lines

    def rows(self) -> Iterator[Row]:
        """The lines one by one; blank ones give no row."""
        for number, line in enumerate(self.data.split(b"\n"), start=self.line):
            if len(line) > MAX_LINE_BYTES:
                yield Row(number, line[:RAW_KEPT], too_long())
            elif stripped := line.strip():
                yield Row(number, stripped)


class Reader(Protocol):
    """Cuts the bytes of one container into rows; memory is bounded by the longest row."""

    def feed(self, piece: bytes) -> Iterator[Row | Block]:
        """The rows that the piece completes; raises `FileUnreadable`."""
        ...

    def finish(self) -> Iterator[Row | Block]:
        """What is left at the end of the file; raises `FileUnreadable`."""
        ...


class FileUnreadable(Exception):
    """From here on the file cannot be read: which row is which is no longer known."""

    def __init__(self, code: str, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.fault = Fault(code, message, line=line)


def too_long() -> RowInvalid:
    """The verdict on a row over the limit."""
    return RowInvalid(
        "line_too_long",
        f"The row is longer than {MAX_LINE_MIB} MiB; no model reads that much.",
    )
