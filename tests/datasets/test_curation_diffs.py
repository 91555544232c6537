"""Diffs: what was applied to the old version gives the new one, and no more than needed."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.curation.diffing import Change, Comparison, Diff
from app.domain.curation.matching import ALONE, match
from app.domain.datasets import DatasetKind, DiffCounts
from app.domain.examples import ChatExample, Message, encode_example


def line(prompt: str, completion: str = "a") -> bytes:
    """A canonical chat example."""
    return encode_example(ChatExample([Message("user", prompt), Message("assistant", completion)]))


def compared(before: Sequence[bytes], after: Sequence[bytes]) -> Diff:
    """The diff of two versions that are read line by line."""
    comparison = Comparison(DatasetKind.CHAT)
    for side, lines in ((comparison.before, before), (comparison.after, after)):
        for one in lines:
            side.read([one])
    comparison.match()
    for side, lines in ((comparison.before, before), (comparison.after, after)):
        side.reread(lines)
    return comparison.diff()


def applied(diff: Diff, before: Sequence[bytes], after: Sequence[bytes]) -> list[bytes]:
    """The old version with the changes made; of the new one only what the changes name is read."""
    gone = {change.before for change in diff.changes}
    kept = iter([one for row, one in enumerate(before) if row not in gone])
    new = {change.after: after[change.after] for change in diff.changes if change.after is not None}
    count = diff.unchanged + len(new)
    return [new[row] if row in new else next(kept) for row in range(count)]


versions = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=25)


@given(versions, versions)
def test_a_diff_applied_to_the_old_version_gives_the_new_one(
    old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    before, after = [line(*one) for one in old], [line(*one) for one in new]
    diff = compared(before, after)
    assert applied(diff, before, after) == after
    assert len(before) == diff.unchanged + diff.counts.removed + diff.counts.changed
    for change in diff.changes:
        if change.before is not None and change.after is not None:
            assert before[change.before] != after[change.after]


@given(versions)
def test_a_version_does_not_differ_from_itself(old: list[tuple[str, str]]) -> None:
    before = [line(*one) for one in old]
    assert compared(before, before) == Diff([], DiffCounts(), len(before))


@given(st.permutations(range(12)), st.integers(0, 12), st.integers(0, 12))
def test_as_many_lines_as_possible_are_kept(order: list[int], start: int, end: int) -> None:
    before, after = list(range(12)), order[start : end or None]
    twins = match(before, after)
    kept = [twin for twin in twins if twin != ALONE]
    assert kept == sorted(set(kept))
    assert all(before[twin] == after[place] for place, twin in enumerate(twins) if twin != ALONE)
    assert len(kept) == longest_common(before, after)


def longest_common(before: Sequence[int], after: Sequence[int]) -> int:
    """The length of a longest common subsequence, by the textbook's table."""
    row = [0] * (len(after) + 1)
    for one in before:
        above, row = row, [0]
        for place, other in enumerate(after):
            row.append(above[place] + 1 if one == other else max(above[place + 1], row[place]))
    return row[-1]


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        ([line("1"), line("2", "b"), line("3")], [Change(1, 1)]),
        ([line("1"), line("two"), line("3")], [Change(1, 1)]),
        ([line("1"), line("4", "b"), line("3")], [Change(1, None), Change(None, 1)]),
        ([line("1"), line("3")], [Change(1, None)]),
        ([line("1"), line("2"), line("3"), line("4")], [Change(None, 3)]),
        ([line("2"), line("3"), line("1")], [Change(0, None), Change(None, 2)]),
        ([line("1", "b"), line("2", "b"), line("0"), line("3")], None),
    ],
    ids=["completion", "prompt", "both", "removed", "added", "moved", "several"],
)
def test_what_counts_as_a_change(after: list[bytes], changes: list[Change] | None) -> None:
    diff = compared([line("1"), line("2"), line("3")], after)
    if changes is None:
        changes = [Change(0, 0), Change(1, 1), Change(None, 2)]
    assert diff.changes == changes


def test_equal_lines_that_an_anchor_left_alone_are_found_again() -> None:
    before = [line(text) for text in ("p", "x", "1", "2", "3", "x", "q")]
    after = [line(text) for text in ("p", "1", "2", "3", "x", "r")]
    assert msgspec.to_builtins(compared(before, after).counts) == {
        "added": 0,
        "removed": 1,
        "changed": 1,
    }
