"""Parquet: columns in row groups, with their index at the end, so the file must be whole."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from app.domain.errors import FormatUnavailable
from app.domain.examples import MAX_LINE_BYTES, RowInvalid
from app.domain.reading.cells import json_cell
from app.domain.reading.columns import Columns, json_columns
from app.domain.reading.rows import RAW_KEPT, FileUnreadable, Row, too_long

ROWS_AT_ONCE = 256
READ_AHEAD_BYTES = 256 * 1024

_encoder = msgspec.json.Encoder()


def read_parquet(file: BinaryIO, columns: Columns) -> Iterator[Row]:
    """The rows of a file that can seek; a row's line is its number, from 1.

    Raises `FileUnreadable`, and `FormatUnavailable` where pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise FormatUnavailable(
            "Parquet needs pyarrow where the service runs: pip install 'luthier[parquet]'."
        ) from error
    line = 0
    try:
        opened = pyarrow.parquet.ParquetFile(file, buffer_size=READ_AHEAD_BYTES, pre_buffer=False)
        names = _wanted(opened.schema_arrow.names, columns)
        json_names = _holding_json(names, columns)
        for batch in opened.iter_batches(ROWS_AT_ONCE, columns=names, use_threads=False):
            for row in _as_text(batch).to_pylist():
                line += 1
                yield _row(line, row, json_names)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise FileUnreadable(
            "parquet_broken", f"The Parquet file cannot be read: {said}.", line=line + 1
        ) from error


def _as_text(batch: Any) -> Any:
    """Bytes as the text that some writers mean by them; encoded they would become base64."""
    import pyarrow

    for number, field in enumerate(batch.schema):
        if "binary" in str(field.type):
            text = batch.column(number).cast(pyarrow.string())
            batch = batch.set_column(number, field.name, text)
    return batch


def _wanted(names: list[str], columns: Columns) -> list[str]:
    """All columns but those to leave out; a repeated name would hide one."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise FileUnreadable("parquet_broken", f"Two columns are named `{repeated[:40]}`.")
    return [name for name in names if columns.meaning(name) is not None]


def _holding_json(names: list[str], columns: Columns) -> list[str]:
    """The columns in which a text is JSON, under their own names."""
    meanings = {name: columns.meaning(name) for name in names}
    wanted = json_columns(meanings.values())
    return [name for name, meaning in meanings.items() if meaning in wanted]


def _row(line: int, row: dict[str, Any], json_names: list[str]) -> Row:
    invalid: RowInvalid | None = None
    try:
        _open_json(row, json_names)
    except RowInvalid as found:
        invalid = found
    try:
        data = _encoder.encode(row)
    except (TypeError, ValueError, RecursionError) as error:
        return Row(
            line, b"", RowInvalid("row_shape", f"The row has a value without JSON: {error}.")
        )
    if len(data) > MAX_LINE_BYTES:
        return Row(line, data[:RAW_KEPT], too_long())
    return Row(line, data, invalid)


def _open_json(row: dict[str, Any], json_names: list[str]) -> None:
    for name in json_names:
        cell = row[name]
        if isinstance(cell, str):
            row[name] = json_cell(name, cell) if cell.strip() else None
