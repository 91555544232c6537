"""CSV and TSV: every cell in quotes, so that each text is read again as it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.domain.writing.forms import Cell
from app.domain.writing.losses import Row


class TableWriter:
    """A header, then one record for each row; what is not text is written as JSON."""

    def __init__(self, delimiter: str, columns: Mapping[str, Cell]) -> None:
        self._delimiter = delimiter
        self._names = list(columns)

    def begin(self) -> bytes:
        return f"{self._delimiter.join(self._names)}\n".encode()

    def write(self, rows: Sequence[Row]) -> bytes:
        return "".join(map(self._record, rows)).encode()

    def end(self) -> bytes:
        return b""

    def _record(self, row: Row) -> str:
        return self._delimiter.join(cell(row.get(name)) for name in self._names) + "\n"


def cell(value: Any) -> str:
    """A value as a quoted cell; None is an empty one."""
    if value is None:
        return '""'
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return '"' + text.replace('"', '""') + '"'
