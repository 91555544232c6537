"""Metrics against values worked out by hand, and intervals against what they promise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.metrics import METRICS, bootstrap_interval, exact_match, mean, token_f1

scores = st.lists(st.floats(-1, 1), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("output", "expected", "score"),
    [
        ("billing", "billing", 1.0),
        (" billing\n", "billing", 1.0),
        ("Billing", "billing", 0.0),
        ("billing.", "billing", 0.0),
        ("", "", 1.0),
        ("", "billing", 0.0),
    ],
)
def test_exact_match(output: str, expected: str, score: float) -> None:
    assert exact_match(output, expected) == score


@pytest.mark.parametrize(
    ("output", "expected", "score"),
    [
        ("The cat sat.", "a cat sat", 1.0),
        ("the cat", "the dog", 0.0),
        ("cat sat down", "cat sat", 0.8),
        ("cat", "cat sat on mat", 0.4),
        ("cat cat", "cat", 2 / 3),
        ("", "", 1.0),
        ("the", "a", 1.0),
        ("the", "cat", 0.0),
        ("cat", "", 0.0),
        ("кот спит", "кот ест", 0.5),
    ],
)
def test_token_f1(output: str, expected: str, score: float) -> None:
    assert token_f1(output, expected) == pytest.approx(score)


@given(st.text(), st.text())
def test_every_metric_is_between_0_and_1_and_full_for_the_same(one: str, other: str) -> None:
    for metric in METRICS.values():
        assert 0.0 <= metric(one, other) <= 1.0
        assert metric(one, one) == 1.0


@settings(max_examples=25, deadline=None)
@given(scores)
def test_the_interval_lies_around_the_mean_and_within_the_values(values: list[float]) -> None:
    interval = bootstrap_interval(values)
    rounding = 1e-9
    assert min(values) - rounding <= interval.low <= mean(values) + rounding
    assert mean(values) - rounding <= interval.high <= max(values) + rounding


def test_the_interval_is_reproducible_and_that_of_the_normal_law() -> None:
    values = [0.0, 1.0] * 50
    interval = bootstrap_interval(values)
    assert interval == bootstrap_interval(values)
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
    assert interval.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)


def test_what_never_varies_is_certain() -> None:
    assert bootstrap_interval([0.25] * 10) == bootstrap_interval([0.25])
    assert (bootstrap_interval([0.25]).low, bootstrap_interval([0.25]).high) == (0.25, 0.25)


def test_nothing_has_the_mean_0() -> None:
    assert mean([]) == bootstrap_interval([]).low == bootstrap_interval([]).high == 0.0
