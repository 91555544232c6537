"""What a dataset is to be written as: a form in a container, packed or not."""

from importlib.util import find_spec

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.errors import ContainerUnfit, FormatUnavailable
from app.domain.examples import MAX_LINE_BYTES, decode_example
from app.domain.reading.rows import MAX_LINE_MIB, Container
from app.domain.writing.forms import CANONICAL, Cell, Form, FormName, form_of
from app.domain.writing.losses import Loss, Row, RowLost
from app.domain.writing.packing import Compression
from app.domain.writing.tables import cell

TABLES = (Container.CSV, Container.TSV)

NULL_BYTES = 256
"""More than the nulls of one message, turn or row that Parquet gives back."""


class Target(msgspec.Struct, frozen=True):
    """A form that fits the kind of dataset and the container."""

    kind: DatasetKind
    form: Form
    container: Container
    compression: Compression

    @property
    def has_kept_form(self) -> bool:
        """Whether its rows are what is kept."""
        return self.form.name == CANONICAL[self.kind]

    @property
    def is_canonical(self) -> bool:
        """Whether it is the very bytes that are kept."""
        is_plain = self.compression is Compression.NONE
        return self.has_kept_form and self.container is Container.JSONL and is_plain


class Expressed(msgspec.Struct, frozen=True, gc=False):
    """One example in a form: its row, None where it has no place, and what the row is without."""

    row: Row | None
    losses: list[Loss]


def choose_target(
    kind: DatasetKind,
    form: FormName | None = None,
    container: Container = Container.JSONL,
    compression: Compression = Compression.NONE,
) -> Target:
    """The target of these names.

    Raises `DatasetKindUnfit`, `ContainerUnfit`, and `FormatUnavailable` for Parquet where pyarrow
    is not installed.
    """
    target = Target(kind, form_of(kind, form), container, compression)
    if container in TABLES and not target.form.fits_tables:
        raise ContainerUnfit(
            f"A cell of {container} cannot tell a list of messages from a text that looks like "
            f"one, so that it has no place for {target.form.name}; choose another form or "
            "container."
        )
    if container is Container.PARQUET and find_spec("pyarrow") is None:
        raise FormatUnavailable(
            "Parquet needs pyarrow where the service runs: pip install 'luthier[parquet]'."
        )
    return target


def express(target: Target, line: bytes) -> Expressed:
    """A canonical line in the target's form."""
    losses: list[Loss] = []
    try:
        row = target.form.write(decode_example(line, target.kind), losses)
        if target.container is Container.PARQUET:
            _refuse_parts(target.form, row)
        if len(line) > MAX_LINE_BYTES // NULL_BYTES:
            _refuse_too_long(target, row)
    except RowLost as lost:
        return Expressed(None, [lost.loss])
    return Expressed(row, losses)


def has_parts(row: Row, name: str) -> bool:
    """Whether a message under a name has a content of parts."""
    return any(isinstance(message.content, list) for message in row[name])


def _refuse_parts(form: Form, row: Row) -> None:
    for name, kind in form.columns.items():
        if kind is Cell.LISTS and has_parts(row, name):
            raise RowLost(
                "parts_lost", f"`{name}`: Parquet has no place for a content of parts in this form."
            )


def _refuse_too_long(target: Target, row: Row) -> None:
    """As the reader of the container would."""
    size = len(msgspec.json.encode(row))
    if target.container in TABLES:
        size = max(size, sum(len(cell(value).encode()) for value in row.values()))
    if target.container is Container.PARQUET:
        items = [value for value in row.values() if isinstance(value, list)]
        size += NULL_BYTES * (1 + sum(map(len, items)))
    if size > MAX_LINE_BYTES:
        raise RowLost("line_too_long", f"The row would be longer than {MAX_LINE_MIB} MiB.")
