"""Taking in a file of examples piece by piece: checked, made canonical, hashed, never whole."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.errors import DatasetEmpty, DatasetInvalid, Fault, TooLarge
from app.domain.examples import RowInvalid, encode_example, kind_of, refuse_nul
from app.domain.reading.blocks import decode_chats
from app.domain.reading.columns import Columns
from app.domain.reading.detection import detect, open_reader
from app.domain.reading.forms import decode_row
from app.domain.reading.packing import Unpacker
from app.domain.reading.parquet import read_parquet
from app.domain.reading.repeats import refuse_repeated_keys
from app.domain.reading.rows import Block, Container, FileUnreadable, Reader, Row

FAULTS_KEPT = 100
"""How many faults are told in full; the rest are counted."""


class Reading(msgspec.Struct, frozen=True):
    """How a file is to be read; without a container it is told from the first bytes."""

    container: Container | None = None
    columns: Columns = Columns()
    is_skipping: bool = False
    """Set wrong rows aside instead of refusing the file."""

    max_bytes: int | None = None
    """Of the file, packed or not."""


class Intake:
    """Give the file's pieces to `feed`, then call `finish`; both give back canonical lines.

    After the first fault no more lines come back: there will be no dataset, only a full list of
    what is wrong. With `is_skipping` wrong rows come back from `take_rejected` instead. Memory is
    bounded by the longest row that is allowed.

    A Parquet file comes back from `feed` unpacked (`is_spooling`): keep it on disk and give it to
    `read_spooled` before `finish`.
    """

    def __init__(self, reading: Reading | None = None) -> None:
        self.examples = 0
        self.bytes = 0
        self.rejected = 0
        self.fault_count = 0
        self.faults: list[Fault] = []
        self.kind: DatasetKind | None = None
        self.format: str | None = None
        self.is_spooling = False
        self._reading = reading or Reading()
        self._unpacker = Unpacker()
        self._head = b""
        self._reader: Reader | None = None
        self._end: Fault | None = None
        """Why the file could not be read any further."""

        self._received = 0
        self._unpacked = 0
        self._hash = hashlib.sha256()
        self._set_aside: list[bytes] = []
        self._rejected_hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The hash of all canonical lines so far."""
        return self._hash.hexdigest()

    @property
    def rejected_sha256(self) -> str | None:
        """The hash of all rows that were set aside so far; None where there are none."""
        return self._rejected_hash.hexdigest() if self.rejected else None

    def feed(self, piece: bytes) -> bytes:
        """The canonical form of the rows that the piece completes; raises `TooLarge`."""
        self._received = self._counted(self._received, piece)
        if self._end is not None:
            return b""
        return self._joined(self._read(self._unpacker.feed(piece)))

    def read_spooled(self, file: BinaryIO) -> Iterator[bytes]:
        """The canonical form of a Parquet file's rows, one by one."""
        self._joined(self._read(self._unpacker.finish()))
        if self._end is None:
            rows = read_parquet(file, self._reading.columns)
            yield from self._until_unreadable(self._check(row) for row in rows)

    def finish(self) -> bytes:
        """The canonical form of what was left; raises `DatasetInvalid`."""
        last = self._joined(self._read_rest()) if self._end is None else b""
        is_mended = self._reading.is_skipping and self.examples and self._end is None
        if self.fault_count and not is_mended:
            raise DatasetInvalid(
                _verdict(self.fault_count, self._end),
                faults=self.faults,
                fault_count=self.fault_count,
            )
        if not self.examples:
            raise DatasetEmpty("The file holds no example; send at least one row.", fault_count=0)
        return last

    def take_rejected(self) -> bytes:
        """The rows set aside since the last call, as JSON Lines."""
        lines = b"".join(self._set_aside)
        self._set_aside.clear()
        return lines

    def _joined(self, parts: Iterable[bytes]) -> bytes:
        return b"".join(self._until_unreadable(parts))

    def _until_unreadable(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from parts
        except FileUnreadable as unreadable:
            self._end = unreadable.fault
            self._note(unreadable.fault)

    def _read(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._unpacked = self._counted(self._unpacked, piece)
            if self.is_spooling:
                yield piece
            elif self._reader is not None:
                yield from map(self._take, self._reader.feed(piece))
            else:
                self._head += piece
                yield from self._begin(is_whole=False)

    def _read_rest(self) -> Iterator[bytes]:
        yield from self._read(self._unpacker.finish())
        if self._reader is None and not self.is_spooling:
            yield from self._begin(is_whole=True)
        if self._reader is not None:
            yield from map(self._take, self._reader.finish())

    def _begin(self, *, is_whole: bool) -> Iterator[bytes]:
        """Choose the reader as soon as enough of the file is there to tell."""
        detected = detect(self._head, self._reading.columns, is_whole=is_whole)
        if detected is None:
            return
        container, head = self._reading.container or detected, self._head
        self._head = b""
        if container is Container.PARQUET:
            self.is_spooling = True
            yield head
            return
        self._reader, head = open_reader(container, head, self._reading.columns)
        yield from map(self._take, self._reader.feed(head))

    def _take(self, found: Row | Block) -> bytes:
        """The canonical lines of what a reader found."""
        is_readable = isinstance(found, Block) or found.invalid is None
        if is_readable and self.kind is not DatasetKind.PREFERENCE and not self._reading.columns:
            decoded = decode_chats(found.data)
            if decoded is not None:
                if isinstance(found, Block):
                    found.known_lines = decoded[0]
                return self._keep("chat", DatasetKind.CHAT, *decoded)
        if isinstance(found, Row):
            return self._check(found)
        return b"".join(map(self._check, found.rows()))

    def _check(self, row: Row) -> bytes:
        """The canonical line of a row; nothing where it is wrong."""
        try:
            if row.invalid is not None:
                raise row.invalid
            form, example = decode_row(row.data, self._reading.columns)
            kind = self._same_kind(kind_of(example))
            line = encode_example(example) + b"\n"
            refuse_nul(line)
            refuse_repeated_keys(row.data)
        except RowInvalid as invalid:
            self._note(invalid.at(row.line), row.data if row.raw is None else row.raw)
            return b""
        return self._keep(form, kind, 1, line)

    def _same_kind(self, kind: DatasetKind) -> DatasetKind:
        if self.kind is not None and kind is not self.kind:
            raise RowInvalid(
                "kind_mixed",
                f"This row is a {kind} example in a {self.kind} dataset; upload them apart.",
            )
        return kind

    def _keep(self, form: str, kind: DatasetKind, count: int, lines: bytes) -> bytes:
        self.format, self.kind = self.format or form, kind
        self.examples += count
        if self.fault_count and not self._reading.is_skipping:
            return b""
        self.bytes += len(lines)
        self._hash.update(lines)
        return lines

    def _note(self, fault: Fault, raw: bytes | None = None) -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)
        if self._reading.is_skipping and raw is not None:
            line = _rejected_line(fault, raw)
            self.rejected += 1
            self._rejected_hash.update(line)
            self._set_aside.append(line)

    def _counted(self, count: int, piece: bytes) -> int:
        limit = self._reading.max_bytes
        if limit is not None and count + len(piece) > limit:
            raise TooLarge(f"The file is larger than {limit} bytes.")
        return count + len(piece)


def _rejected_line(fault: Fault, raw: bytes) -> bytes:
    told: dict[str, Any] = {"line": fault.line, "code": fault.code, "message": fault.message}
    told["raw"] = raw.decode(errors="replace")
    if told["raw"].encode() != raw:
        told["raw_base64"] = base64.b64encode(raw).decode()
    return msgspec.json.encode(told) + b"\n"


def _verdict(count: int, end: Fault | None) -> str:
    if end is not None:
        place = "" if end.line is None else f" (line {end.line})"
        return f"{end.message} Nothing was stored; the file was read up to there{place}."
    rows = "1 row is" if count == 1 else f"{count} rows are"
    return (
        f"{rows} wrong; nothing was stored. Mend the lines that `errors` names and send it again."
    )
