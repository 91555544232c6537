"""Lengths far from the rest: found by their factor, and not where lengths just vary."""

import random

import pytest

from app.domain.reporting.findings import Finding, Severity
from app.domain.reporting.outliers import MIN_TEXTS, Outliers, usual


def findings(*lengths: int) -> list[Finding]:
    """What is found in texts of these lengths."""
    outliers = Outliers("completion")
    for line, length in enumerate(lengths, start=1):
        outliers.see(line, "x" * length)
    return outliers.findings()


def test_a_text_far_longer_and_one_far_shorter_than_the_rest_are_named() -> None:
    long, short = findings(*[100, 120] * 30, 9_000, 5)
    assert (long.code, long.severity, long.lines) == ("completions_long", Severity.WARNING, [61])
    assert (short.code, short.severity, short.lines) == ("completions_short", Severity.INFO, [62])
    assert "up to 9,000 characters" in long.message


def test_lengths_that_vary_by_factors_are_no_outliers() -> None:
    chance = random.Random(4)
    assert findings(*[int(chance.lognormvariate(5, 1)) + 1 for _ in range(300)]) == []


def test_twice_as_long_as_equal_lengths_is_no_outlier() -> None:
    assert findings(*[100] * 60, 200, 50) == []


def test_of_few_texts_nothing_is_said() -> None:
    assert findings(*[100] * (MIN_TEXTS - 2), 100_000) == []


def test_of_many_outliers_the_farthest_are_named() -> None:
    [finding] = findings(*[100] * 500, *range(5_000, 5_150))
    assert (finding.count, finding.lines) == (150, list(range(551, 651)))


def test_an_empty_text_is_no_matter_of_length() -> None:
    assert findings(*[100] * 60, 0) == []


@pytest.mark.parametrize(
    ("lengths", "bounds"),
    [([127] * 9, (31, 511)), ([7, 15, 31, 63, 127], (0, 1_166))],
)
def test_what_is_usual_lies_around_the_median(lengths: list[int], bounds: tuple[int, int]) -> None:
    assert usual(lengths) == bounds
