"""Telling from a file's first bytes how it holds its rows."""

from app.domain.reading.arrays import ArrayReader
from app.domain.reading.columns import KNOWN, Columns
from app.domain.reading.lines import LineReader
from app.domain.reading.rows import Container, FileUnreadable, Reader
from app.domain.reading.tables import TableReader

MAX_HEAD_BYTES = 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_MAGIC_BYTES = 4
_PARQUET = b"PAR1"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = {b"\t": Container.TSV, b",": Container.CSV, b";": Container.CSV}


def detect(head: bytes, columns: Columns, *, is_whole: bool) -> Container | None:
    """The container of a file that begins so; None where more must be seen first.

    Raises `FileUnreadable` for text that is not UTF-8 but UTF-16 or UTF-32.
    """
    if len(head) < _MAGIC_BYTES and not is_whole:
        return None
    if head.startswith(_PARQUET):
        return Container.PARQUET
    _refuse_wide(head)
    text = head.removeprefix(_BOM).lstrip()
    if text[:1] in (b"{", b"["):
        return Container.JSONL if text.startswith(b"{") else Container.JSON
    line, end, _ = text.partition(b"\n")
    if end or is_whole or len(head) > MAX_HEAD_BYTES:
        return _by_header(line, columns)
    return None


def open_reader(container: Container, head: bytes, columns: Columns) -> tuple[Reader, bytes]:
    """A reader of text, and the head without what is no part of any row."""
    head = head.removeprefix(_BOM)
    if container is Container.JSON:
        return ArrayReader(), head
    if container is Container.JSONL:
        return LineReader(), head
    return TableReader(_delimiter(container, head), columns), head


def _refuse_wide(head: bytes) -> None:
    first, second = head[0:1], head[1:2]
    has_zeros = len(head) > 1 and (first == b"\0") != (second == b"\0")
    if head.startswith(_WIDE) or has_zeros or head.startswith(b"\0\0\xfe\xff"):
        raise FileUnreadable("not_utf8", "The file is UTF-16 or UTF-32; save it as UTF-8.", line=1)


def _by_header(line: bytes, columns: Columns) -> Container:
    """A first line that is no JSON: a header, where it has several columns or a known one."""
    for delimiter, container in _DELIMITERS.items():
        if delimiter in line:
            return container
    name = line.strip().strip(b'"').decode(errors="replace")
    return Container.CSV if columns.meaning(name) in KNOWN else Container.JSONL


def _delimiter(container: Container, head: bytes) -> str:
    if container is Container.TSV:
        return "\t"
    line = head.lstrip().partition(b"\n")[0]
    return ";" if b";" in line and b"," not in line else ","
