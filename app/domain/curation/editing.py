"""Edits of single examples: all checked first, then made while the version streams by."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from app.domain.curation.diffing import difference
from app.domain.datasets import DatasetKind, DiffCounts
from app.domain.errors import DatasetEmpty, EditsInvalid, Fault
from app.domain.examples import MAX_LINE_BYTES, RowInvalid, encode_example, kind_of, refuse_nul
from app.domain.intake import FAULTS_KEPT
from app.domain.reading.forms import decode_row
from app.domain.reading.repeats import refuse_repeated_keys
from app.domain.reading.rows import too_long


class EditKind(StrEnum):
    """What is done to a line."""

    REPLACE = "replace"
    DROP = "drop"
    ADD = "add"


class Edit(msgspec.Struct, frozen=True):
    """One edit: `line` (from 1) says where, `example` is a row in any form, as JSON."""

    op: EditKind
    line: int | None = None
    example: bytes | None = None


class Edits:
    """Give the version's lines in order to `apply`, then call `finish`; both give back lines.

    Raises `EditsInvalid` with everything that is wrong, `DatasetEmpty` where nothing is left.
    """

    def __init__(self, edits: Sequence[Edit], kind: DatasetKind, *, examples: int) -> None:
        self.diff = DiffCounts()
        """What the edits made so far have changed."""

        self._kind = kind
        self._row = 0
        self._by_line: dict[int, bytes | None] = {}
        """The new line, or None where it is dropped."""

        self._added: list[bytes] = []
        self._faults: list[Fault] = []
        for place, edit in enumerate(edits):
            self._plan(edit, examples, at=f"/edits/{place}")
        self._refuse(examples)

    def apply(self, lines: Sequence[bytes]) -> bytes:
        """The next lines as they are after the edits."""
        edited = b"".join(self._edited(lines))
        self._row += len(lines)
        return edited

    def finish(self) -> bytes:
        """The lines that come after the last one."""
        self.diff += DiffCounts(added=len(self._added))
        return b"".join(line + b"\n" for line in self._added)

    def _plan(self, edit: Edit, examples: int, *, at: str) -> None:
        if edit.line is not None:
            self._check_place(edit.line, examples, at=f"{at}/line")
        line = None if edit.example is None else self._decoded(edit.example, at=f"{at}/example")
        if edit.line is not None:
            self._by_line[edit.line] = line
        elif line is not None:
            self._added.append(line)

    def _check_place(self, line: int, examples: int, *, at: str) -> None:
        if line in self._by_line:
            fault = Fault("line_edited_twice", f"Another edit has line {line} already.", at)
            self._faults.append(fault)
        if line > examples:
            fault = Fault("line_unknown", f"There is no line {line}, but {examples:,} lines.", at)
            self._faults.append(fault)

    def _decoded(self, row: bytes, *, at: str) -> bytes | None:
        try:
            return _canonical(row, self._kind)
        except RowInvalid as invalid:
            self._faults.append(Fault(invalid.code, invalid.message, at))
            return None

    def _refuse(self, examples: int) -> None:
        if self._faults:
            raise EditsInvalid(
                "Nothing was stored: mend the edits that `errors` names and send all of them "
                "again.",
                faults=self._faults[:FAULTS_KEPT],
                fault_count=len(self._faults),
            )
        dropped = sum(line is None for line in self._by_line.values())
        if dropped == examples and not self._added:
            raise DatasetEmpty("Nothing would be left: a version holds at least one example.")

    def _edited(self, lines: Sequence[bytes]) -> Iterator[bytes]:
        for number, line in enumerate(lines, start=self._row + 1):
            edited = self._by_line.get(number, line)
            if edited is None:
                self.diff += DiffCounts(removed=1)
                continue
            if edited is not line:
                self.diff += difference(line, edited, self._kind)
            yield edited + b"\n"


def _canonical(row: bytes, kind: DatasetKind) -> bytes:
    """The canonical line of a row in any form; raises `RowInvalid`."""
    if len(row) > MAX_LINE_BYTES:
        raise too_long()
    _, example = decode_row(row)
    if kind_of(example) is not kind:
        raise RowInvalid("kind_mixed", f"This is a {kind_of(example)} example in a {kind} dataset.")
    line = encode_example(example)
    refuse_nul(line)
    refuse_repeated_keys(row)
    return line
