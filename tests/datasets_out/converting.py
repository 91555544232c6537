"""Converting from memory, and reading the outcome again as an upload does."""

from collections.abc import Sequence

from app.domain.datasets import DatasetKind
from app.domain.reading.rows import Container
from app.domain.writing.conversion import Survey, Writing
from app.domain.writing.forms import FormName
from app.domain.writing.packing import Compression
from app.domain.writing.targets import choose_target
from tests.datasets_in.reading import take_in


def surveyed(
    lines: Sequence[bytes],
    kind: DatasetKind = DatasetKind.CHAT,
    form: FormName | None = None,
    container: Container = Container.JSONL,
    compression: Compression = Compression.NONE,
) -> Survey:
    """What would be lost."""
    survey = Survey(choose_target(kind, form, container, compression))
    survey.feed(lines)
    return survey


def written(survey: Survey, lines: Sequence[bytes], *, at_once: int = 2) -> bytes:
    """The whole file, from lines that come a few at once."""
    writing = Writing(survey)
    pieces = [
        writing.feed(lines[start : start + at_once]) for start in range(0, len(lines), at_once)
    ]
    return b"".join(pieces) + writing.finish()


def read_again(content: bytes) -> list[bytes]:
    """The canonical lines of a file."""
    return take_in([content]).kept.splitlines()
