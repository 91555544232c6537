"""Parquet: typed columns in row groups; what has no type of its own is JSON in a text."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.domain.writing.forms import Cell
from app.domain.writing.losses import Row

GROUP_BYTES = 8 * 1024 * 1024
"""Of one row group: what is held in memory before it goes out."""


class ParquetWriter:
    """Rows under the given columns; gives out a row group as soon as it is full."""

    def __init__(self, columns: Mapping[str, Cell]) -> None:
        import pyarrow.parquet

        self._columns = columns
        self._schema = _schema(columns)
        self._sink = _Sink()
        self._file = pyarrow.parquet.ParquetWriter(
            pyarrow.PythonFile(self._sink, mode="w"), self._schema, compression="zstd"
        )
        self._held: list[Any] = []

    def begin(self) -> bytes:
        return self._sink.take()

    def write(self, rows: Sequence[Row]) -> bytes:
        import pyarrow

        values = [
            {name: _value(row.get(name), cell) for name, cell in self._columns.items()}
            for row in rows
        ]
        self._held.append(pyarrow.RecordBatch.from_pylist(values, schema=self._schema))
        if sum(batch.nbytes for batch in self._held) >= GROUP_BYTES:
            self._write_group()
        return self._sink.take()

    def end(self) -> bytes:
        self._write_group()
        self._file.close()
        return self._sink.take()

    def _write_group(self) -> None:
        import pyarrow

        if self._held:
            table = pyarrow.Table.from_batches(self._held, self._schema)
            self._file.write_table(table, row_group_size=max(table.num_rows, 1))
            self._held.clear()


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def _value(value: Any, cell: Cell) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    return msgspec.json.encode(value).decode() if cell is Cell.JSON else msgspec.to_builtins(value)


def _schema(columns: Mapping[str, Cell]) -> Any:
    import pyarrow

    text = pyarrow.string()
    function = pyarrow.struct([("name", text), ("arguments", text)])
    call = pyarrow.struct([("id", text), ("type", text), ("function", function)])
    message = pyarrow.struct(
        [
            ("role", text),
            ("content", text),
            ("name", text),
            ("weight", pyarrow.int8()),
            ("tool_calls", pyarrow.list_(call)),
            ("tool_call_id", text),
            ("refusal", text),
        ]
    )
    turn = pyarrow.struct([("from", text), ("value", text), ("weight", pyarrow.int8())])
    types = {
        Cell.TEXT: text,
        Cell.FLAG: pyarrow.bool_(),
        Cell.MESSAGES: pyarrow.list_(message),
        Cell.LISTS: pyarrow.list_(message),
        Cell.TURNS: pyarrow.list_(turn),
        Cell.TURN: turn,
        Cell.PAIRS: pyarrow.list_(pyarrow.list_(text)),
        Cell.JSON: text,
    }
    return pyarrow.schema([(name, types[cell]) for name, cell in columns.items()])
