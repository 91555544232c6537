"""Summing up: means of each candidate, and differences on the rows that both answered."""

from app.domain.scoring import Scores, differences, scores

GIVEN: Scores = {
    ("base", 1): {"f1": 0.0},
    ("base", 2): {"f1": 0.5},
    ("tuned", 1): {"f1": 1.0},
    ("tuned", 2): {"f1": 0.5},
    ("tuned", 3): {"f1": 0.0},
}


def test_every_candidate_has_a_mean_for_every_metric() -> None:
    found = scores(GIVEN, ["base", "tuned", "silent"], ["f1"])
    assert [(one.candidate, one.mean, one.examples) for one in found] == [
        ("base", 0.25, 2),
        ("tuned", 0.5, 3),
        ("silent", 0.0, 0),
    ]


def test_differences_are_paired_with_the_first_candidate() -> None:
    [gap] = differences(GIVEN, ["base", "tuned"], ["f1"])
    assert (gap.candidate, gap.baseline, gap.mean) == ("tuned", "base", 0.5)
    assert gap.interval.low <= 0.5 <= gap.interval.high


def test_one_candidate_has_nobody_to_differ_from() -> None:
    assert differences(GIVEN, ["base"], ["f1"]) == []
