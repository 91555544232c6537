"""Taking in a file: however it is cut into pieces, the outcome is the same."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import DatasetEmpty, DatasetInvalid, Fault
from app.domain.examples import MAX_LINE_BYTES
from app.domain.intake import FAULTS_KEPT, Intake

ROW = b'{"prompt": "caf\xc3\xa9", "completion": "yes"}'
TOO_LONG = b"x" * (MAX_LINE_BYTES + 1)

lines = st.sampled_from([ROW, b"", b"  ", b"nonsense", b"[]", b"\xff", b'{"prompt": "a"}'])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files as several systems write them, right and wrong."""
    opening = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    separator = draw(st.sampled_from([b"\n", b"\r\n"]))
    ending = draw(st.sampled_from([b"", separator]))
    return opening + separator.join(draw(st.lists(lines, max_size=8))) + ending


def take_in(pieces: list[bytes]) -> tuple[Intake, bytes]:
    """The intake at its end, and all that came out."""
    intake = Intake()
    kept = b"".join([intake.feed(piece) for piece in pieces])
    return intake, kept + intake.finish()


def outcome(pieces: list[bytes]) -> tuple[bytes, list[Fault], int | None]:
    """What is kept and what is refused."""
    try:
        _, kept = take_in(pieces)
    except DatasetInvalid as refused:
        return b"", list(refused.faults), refused.fault_count
    return kept, [], 0


@given(files(), st.data())
def test_pieces_make_no_difference(file: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(file)), max_size=10)))
    pieces = [file[start:end] for start, end in zip([0, *cuts], [*cuts, len(file)], strict=True)]
    assert outcome(pieces) == outcome([file])


@given(st.lists(st.sampled_from([ROW, b""]), min_size=1).filter(any))
def test_figures_are_those_of_what_is_kept(lines: list[bytes]) -> None:
    intake, kept = take_in([line + b"\n" for line in lines])
    assert intake.examples == kept.count(b"\n") == lines.count(ROW)
    assert (intake.bytes, intake.sha256) == (len(kept), hashlib.sha256(kept).hexdigest())
    assert (intake.kind, intake.format) == ("chat", "prompt_completion")
    assert json.loads(kept.splitlines()[0])["messages"][0]["content"] == "café"


@pytest.mark.parametrize("file", [b"", b"\n\n", b"\xef\xbb\xbf", b" \r\n"])
def test_nothing_is_no_dataset(file: bytes) -> None:
    with pytest.raises(DatasetEmpty):
        take_in([file])


def test_faults_are_counted_beyond_those_that_are_kept() -> None:
    intake = Intake()
    intake.feed(b"nonsense\n" * 150)
    with pytest.raises(DatasetInvalid) as refused:
        intake.finish()
    assert refused.value.fault_count == 150
    assert [fault.line for fault in refused.value.faults] == list(range(1, FAULTS_KEPT + 1))
    assert refused.value.detail.startswith("150 rows are wrong")


@pytest.mark.parametrize("size", [1000, 1024 * 1024, len(TOO_LONG) * 3])
def test_a_line_that_is_too_long_is_one_fault(size: int) -> None:
    file = b"\n".join([ROW, TOO_LONG, ROW, TOO_LONG])
    pieces = [file[start : start + size] for start in range(0, len(file), size)]
    _, faults, count = outcome(pieces)
    assert [(fault.line, fault.code) for fault in faults] == [
        (2, "line_too_long"),
        (4, "line_too_long"),
    ]
    assert count == 2


def test_after_a_fault_nothing_more_comes_out() -> None:
    intake = Intake()
    assert intake.feed(ROW + b"\n") != b""
    assert intake.feed(b"nonsense\n" + ROW + b"\n") == b""


def test_a_preference_among_chats_is_a_fault() -> None:
    other = b'{"prompt": "a", "chosen": "b", "rejected": "c"}'
    _, [fault], _ = outcome([b"\n".join([ROW, other, ROW])])
    assert (fault.line, fault.code) == (2, "kind_mixed")
