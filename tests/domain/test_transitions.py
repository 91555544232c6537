"""The table of states: every pair of states is written down here a second time."""

import pytest

from app.domain.jobs import AT_PROVIDER, FINAL, TRANSITIONS, UNSUBMITTED, JobStatus

# One row for each state that is left, one column for each state that is entered, in this order.
TABLE = """
queued      . x . . . . x . x x
submitting  x . x x x x x x x x
running     . . x x x x x x x x
pausing     . . x x x x x x x x
paused      . . x x x x x x x x
cancelling  . . . . . x x x x x
blocked     x x x . . x . . . x
succeeded   . . . . . . . . . .
failed      x . . . . . . . . .
cancelled   x . . . . . . . . .
"""

ROWS = {name: marks for name, *marks in (line.split() for line in TABLE.strip().splitlines())}


@pytest.mark.parametrize("left", JobStatus)
def test_exactly_these_states_follow(left: JobStatus) -> None:
    for entered, mark in zip(ROWS, ROWS[left], strict=True):
        assert (entered in TRANSITIONS[left]) == (mark == "x"), entered


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(JobStatus) == set(ROWS)


def test_the_groups_of_states_do_not_overlap() -> None:
    groups = [UNSUBMITTED, AT_PROVIDER, FINAL, {JobStatus.BLOCKED}]
    assert sorted(state for group in groups for state in group) == sorted(JobStatus)


def test_the_end_is_left_by_a_retry_only() -> None:
    for status in JobStatus:
        assert status.is_final == (status in FINAL)
        if status.is_final:
            assert TRANSITIONS[status] <= {JobStatus.QUEUED}
