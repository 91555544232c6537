"""References to datasets, and the rows that a validation split sets aside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.datasets import held_out_rows, parse_reference

counts = st.integers(2, 500)
fractions = st.floats(0.001, 0.899)
seeds = st.integers(0, 2**31 - 1)


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("support", ("support", None)),
        ("support@3", ("support", 3)),
        ("a.b-c_9@999999999", ("a.b-c_9", 999999999)),
        ("x" * 100, ("x" * 100, None)),
    ],
)
def test_references_are_read(reference: str, meant: tuple[str, int | None]) -> None:
    assert parse_reference(reference) == meant


@pytest.mark.parametrize(
    "reference",
    ["", "@1", "a@", "a@0", "a@01", "a@-1", "a@1@2", "a b", ".a", "-a", "é", "x" * 101, "a\n"],
)
def test_what_is_no_reference_is_none(reference: str) -> None:
    assert parse_reference(reference) is None


@given(counts, fractions, seeds)
def test_a_split_is_the_same_for_the_same_seed(count: int, fraction: float, seed: int) -> None:
    aside = held_out_rows(count, fraction, seed)
    assert aside == held_out_rows(count, fraction, seed)
    assert aside <= set(range(count))
    assert 1 <= len(aside) <= count - 1
    assert abs(len(aside) - count * fraction) <= 1


def test_another_seed_sets_others_aside() -> None:
    assert held_out_rows(1000, 0.1, 1) != held_out_rows(1000, 0.1, 2)


def test_one_row_is_kept_for_training() -> None:
    assert held_out_rows(1, 0.5, 1) == frozenset()


def test_a_split_never_changes() -> None:
    assert sorted(held_out_rows(20, 0.2, 7)) == [1, 4, 10, 12]
