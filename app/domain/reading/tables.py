"""CSV and TSV: a header that names the columns, then one record for each row."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec

from app.domain.examples import MAX_LINE_BYTES, RowInvalid
from app.domain.reading.cells import json_cell
from app.domain.reading.columns import KNOWN, Columns, json_columns
from app.domain.reading.rows import MAX_LINE_MIB, FileUnreadable, Row, too_long

MAX_COLUMNS = 1000

# One setting for the whole process; the default of 128 KiB is less than a long document.
csv.field_size_limit(MAX_LINE_BYTES)

_OPTIONAL = frozenset({"system", "input"})
"""An empty cell of these, as of those with JSON, is no value; elsewhere it is text."""

_encoder = msgspec.json.Encoder()


class TableReader:
    """Cuts at line ends outside quotes; a row's line is the one on which its record begins."""

    def __init__(self, delimiter: str, columns: Columns) -> None:
        self._delimiter = delimiter
        self._columns = columns
        self._names: list[str | None] | None = None
        self._json = frozenset[str]()
        self._line = 1
        self._held = b""
        self._wanted = 0

    def feed(self, piece: bytes) -> Iterator[Row]:
        """The rows of the records that the piece completes."""
        self._held += piece
        if len(self._held) < self._wanted:
            return
        end = self._held.rfind(b"\n") + 1
        whole, self._held = self._held[:end], self._held[end:]
        yield from self._read(whole, is_last=False)
        # Reading an open record again only when twice as much is there keeps the cost linear.
        self._wanted = 2 * len(self._held)
        if len(self._held) > MAX_LINE_BYTES:
            raise self._open_record()

    def finish(self) -> Iterator[Row]:
        """The rows of what is left; raises `FileUnreadable` for a quote that was never closed."""
        held, self._held = self._held, b""
        yield from self._read(held, is_last=True)

    def _read(self, whole: bytes, *, is_last: bool) -> Iterator[Row]:
        # Lines end with LF only: a lone CR, or one of Unicode's own line ends, is text.
        lines = list(io.StringIO(whole.decode(errors="surrogateescape"), newline="\n"))
        reader = csv.reader(iter(lines), delimiter=self._delimiter, strict=True)
        start = 0
        while True:
            try:
                record = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                if str(error) == "unexpected end of data":
                    self._hold_open(lines[start:], is_last=is_last)
                    return
                if str(error).startswith("field larger than"):
                    raise self._open_record() from error
                yield self._broken(error, lines[start : reader.line_num])
            else:
                if any(cell.strip() for cell in record) or len(record) > 1:
                    yield from self._take(record, lines[start : reader.line_num])
            self._line += reader.line_num - start
            start = reader.line_num

    def _hold_open(self, lines: list[str], *, is_last: bool) -> None:
        if is_last:
            raise self._open_record()
        self._held = "".join(lines).encode(errors="surrogateescape") + self._held

    def _open_record(self) -> FileUnreadable:
        return FileUnreadable(
            "csv_record_open",
            "The record that begins on this line does not end: a quote is never closed, or it is "
            f"longer than {MAX_LINE_MIB} MiB.",
            line=self._line,
        )

    def _broken(self, error: csv.Error, lines: list[str]) -> Row:
        if self._names is None:
            raise self._bad_header(f"The header is not CSV: {error}.")
        said = f"The record is not CSV: {error}. A quote inside a quoted cell is written twice."
        return Row(self._line, _raw(lines), RowInvalid("csv_record", said))

    def _take(self, record: list[str], lines: list[str]) -> Iterator[Row]:
        if self._names is None:
            self._names = self._header(record)
            self._json = json_columns(self._names)
            return
        try:
            yield Row(self._line, self._encode(record, self._names), raw=_raw(lines))
        except RowInvalid as invalid:
            yield Row(self._line, _raw(lines), invalid)

    def _header(self, record: list[str]) -> list[str | None]:
        if len(record) > MAX_COLUMNS:
            raise self._bad_header(f"The header names more than {MAX_COLUMNS} columns.")
        names = [self._columns.meaning(name.strip()) for name in record]
        kept = [name for name in names if name]
        repeated = next((name for name in kept if kept.count(name) > 1), None)
        if repeated is not None:
            raise self._bad_header(f"Two columns are named `{repeated}`.")
        if not KNOWN.intersection(kept):
            shown = ", ".join(f"`{name[:40]}`" for name in record[:8])
            raise self._bad_header(
                f"The first line must name the columns, but {shown} says nothing here. Name them "
                "`prompt` and `completion` (or as another form has it), or say in `columns` what "
                "they mean."
            )
        return names

    def _bad_header(self, message: str) -> FileUnreadable:
        printable = message.encode(errors="replace").decode()
        return FileUnreadable("csv_header", printable, line=self._line)

    def _encode(self, record: list[str], names: list[str | None]) -> bytes:
        if len(record) != len(names):
            raise RowInvalid(
                "csv_ragged",
                f"The record has {len(record)} cells where the header names {len(names)} columns; "
                "a comma inside a cell needs quotes around it.",
            )
        row: dict[str, Any] = {}
        try:
            for name, cell in zip(names, record, strict=True):
                self._put(row, name, cell)
            data = _encoder.encode(row)
        except UnicodeEncodeError as error:
            raise RowInvalid(
                "not_utf8", "The record has bytes that are not UTF-8; save the file as UTF-8."
            ) from error
        if len(data) > MAX_LINE_BYTES:
            raise too_long()
        return data

    def _put(self, row: dict[str, Any], name: str | None, cell: str) -> None:
        if name is None:
            return
        if not name:
            if cell.strip():
                raise RowInvalid(
                    "csv_column_unnamed", "A cell stands under a column without a name."
                )
            return
        is_json = name in self._json
        if (is_json or name in _OPTIONAL) and not cell.strip():
            return
        row[name] = json_cell(name, cell) if is_json else cell


def _raw(lines: list[str]) -> bytes:
    return "".join(lines).encode(errors="surrogateescape").rstrip(b"\r\n")
