"""Every bad file is refused for its own reason, in its own line, however it comes in."""

import contextlib

import msgspec
import pytest

from app.domain.errors import DatasetInvalid
from app.domain.intake import Intake
from tests.data.bad_files import BAD_FILES, BadFile
from tests.datasets_in.reading import take_in

SMALL = [bad for bad in BAD_FILES if len(bad.content) < 10_000]


def faults(bad: BadFile, size: int) -> list[tuple[int | None, str]]:
    """What is said about a file that comes in pieces of a size."""
    content = bad.content
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    with pytest.raises(DatasetInvalid) as refused:
        take_in(pieces, bad.reading)
    assert refused.value.fault_count == len(refused.value.faults)
    assert all(fault.message.endswith(".") for fault in refused.value.faults)
    return [(fault.line, fault.code) for fault in refused.value.faults]


def test_there_are_many_and_each_has_its_name() -> None:
    assert len({bad.name for bad in BAD_FILES}) == len(BAD_FILES) >= 60


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_a_bad_file_is_refused_with_line_and_code(bad: BadFile) -> None:
    assert faults(bad, 64 * 1024) == bad.faults


@pytest.mark.parametrize("bad", SMALL, ids=lambda bad: bad.name)
def test_pieces_make_no_difference(bad: BadFile) -> None:
    assert faults(bad, 1) == faults(bad, 7) == bad.faults


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_every_row_that_is_set_aside_is_told(bad: BadFile) -> None:
    intake = Intake(msgspec.structs.replace(bad.reading, is_skipping=True))
    intake.feed(bad.content)
    with contextlib.suppress(DatasetInvalid):
        intake.finish()
    assert [(fault.line, fault.code) for fault in intake.faults] == bad.faults
    told = [msgspec.json.decode(line) for line in intake.take_rejected().splitlines()]
    assert len(told) == intake.rejected
    assert [(row["line"], row["code"]) for row in told] == bad.faults[: len(told)]
    assert all(row["raw"] for row in told if row["code"] != "not_json")
