"""Converting a dataset in two passes: a survey of what would be lost, then the file itself."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.domain.errors import ConversionLoses, Fault
from app.domain.reading.rows import Container
from app.domain.writing.forms import Cell
from app.domain.writing.lists import LinesWriter, ListWriter
from app.domain.writing.losses import Row
from app.domain.writing.packing import open_packer
from app.domain.writing.parquet import ParquetWriter
from app.domain.writing.tables import TableWriter
from app.domain.writing.targets import Target, express, has_parts

LOSSES_KEPT = 100
"""How many losses are told in full; the rest are counted."""


class Survey:
    """Give the canonical lines in order to `feed`; then it knows what the target cannot carry."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.examples = 0
        self.dropped = 0
        self.loss_count = 0
        self.losses: list[Fault] = []
        self._used: set[str] = set()
        self._with_parts: set[str] = set()

    @property
    def is_lossless(self) -> bool:
        """Whether the file gives back the same examples when it is read."""
        return self.loss_count == 0

    @property
    def columns(self) -> dict[str, Cell]:
        """The columns that are not empty throughout."""
        return {
            name: Cell.JSON if name in self._with_parts else cell
            for name, cell in self.target.form.columns.items()
            if name in self._used
        }

    def feed(self, lines: Sequence[bytes]) -> None:
        """Look at the next lines."""
        for line in lines:
            self.examples += 1
            expressed = express(self.target, line)
            self.loss_count += len(expressed.losses)
            for loss in expressed.losses[: LOSSES_KEPT - len(self.losses)]:
                self.losses.append(Fault(loss.code, loss.message, line=self.examples))
            if expressed.row is None:
                self.dropped += 1
            else:
                self._note(expressed.row)

    def refuse_losses(self, *, are_accepted: bool) -> None:
        """Raise `ConversionLoses` where something is lost that may not be, or nothing is left."""
        if self.is_lossless or (are_accepted and self.dropped < self.examples):
            return
        left = (
            "no example is left"
            if self.dropped == self.examples
            else f"{self.dropped} of {self.examples} examples would be left out"
        )
        raise ConversionLoses(
            f"{self.target.form.name} cannot carry everything: {self.loss_count} losses, {left}. "
            "`errors` names them; choose another form, or accept them with `losses=accept`.",
            faults=self.losses,
            fault_count=self.loss_count,
        )

    def _note(self, row: Row) -> None:
        self._used.update(row)
        if self.target.container is not Container.PARQUET:
            return
        for name, cell in self.target.form.columns.items():
            if cell is Cell.MESSAGES and has_parts(row, name):
                self._with_parts.add(name)


class Writing:
    """Give the same lines again to `feed`, then call `finish`; both give back the file's bytes."""

    def __init__(self, survey: Survey) -> None:
        self._target = survey.target
        self._writer = _open_writer(survey.target.container, survey.columns)
        self._packer = open_packer(survey.target.compression)
        self._is_begun = False

    def feed(self, lines: Sequence[bytes]) -> bytes:
        """The part of the file that the lines complete."""
        expressed = (express(self._target, line) for line in lines)
        rows = [one.row for one in expressed if one.row is not None]
        return self._packer.compress(self._begin() + self._writer.write(rows))

    def finish(self) -> bytes:
        """The end of the file."""
        end = self._begin() + self._writer.end()
        return self._packer.compress(end) + self._packer.flush()

    def _begin(self) -> bytes:
        if self._is_begun:
            return b""
        self._is_begun = True
        return self._writer.begin()


class Writer(Protocol):
    """One container, written piece by piece."""

    def begin(self) -> bytes:
        """What stands before the first row."""
        ...

    def write(self, rows: Sequence[Row]) -> bytes:
        """What the rows complete."""
        ...

    def end(self) -> bytes:
        """What stands after the last row."""
        ...


def _open_writer(container: Container, columns: Mapping[str, Cell]) -> Writer:
    match container:
        case Container.JSONL:
            return LinesWriter()
        case Container.JSON:
            return ListWriter()
        case Container.CSV:
            return TableWriter(",", columns)
        case Container.TSV:
            return TableWriter("\t", columns)
        case Container.PARQUET:
            return ParquetWriter(columns)
