"""Summing up: means of each candidate, differences on shared rows, slices, agreement, the gate."""

import pytest

from app.domain.evaluations import Gate, Guard, Rating
from app.domain.gating import verdicts
from app.domain.measures.intervals import wilson_interval
from app.domain.scoring import (
    Marked,
    Sheet,
    agreements,
    classifications,
    differences,
    scores,
    slice_scores,
)

SHEET = Sheet(
    candidates=["base", "tuned", "silent"],
    metrics=["f1"],
    marks={
        "base": {1: Marked({"f1": 0.0}), 2: Marked({"f1": 0.5}), 4: Marked({})},
        "tuned": {1: Marked({"f1": 1.0}), 2: Marked({"f1": 0.5}), 3: Marked({"f1": 0.0})},
    },
)


def labelled(**said: str) -> Sheet:
    """Candidates that said a label, one letter for each row, where `aabb` was expected."""
    return Sheet(
        candidates=list(said),
        metrics=["accuracy", "macro_f1"],
        marks={
            name: {row: Marked({}, letter) for row, letter in enumerate(letters, start=1)}
            for name, letters in said.items()
        },
        labels=dict(enumerate("aabb", start=1)),
    )


def rated(metric: str, *, base: list[float], tuned: list[float]) -> Sheet:
    """Two candidates' scores row by row."""
    marks = {
        name: {row: Marked({metric: score}) for row, score in enumerate(given)}
        for name, given in (("base", base), ("tuned", tuned))
    }
    return Sheet(candidates=["base", "tuned"], metrics=[metric], marks=marks)


def test_every_candidate_has_a_mean_for_every_metric() -> None:
    assert [(one.candidate, one.mean, one.examples) for one in scores(SHEET)] == [
        ("base", 0.25, 2),
        ("tuned", 0.5, 3),
        ("silent", None, 0),
    ]


def test_differences_are_paired_with_the_first_candidate() -> None:
    [tuned, silent] = differences(SHEET)
    assert (tuned.candidate, tuned.baseline, tuned.mean, tuned.examples) == (
        "tuned",
        "base",
        0.5,
        2,
    )
    assert tuned.interval is not None
    assert tuned.interval.low <= 0.5 <= tuned.interval.high
    assert (silent.mean, silent.interval, silent.examples) == (None, None, 0)


def test_a_slice_is_scored_like_the_whole() -> None:
    found = slice_scores(SHEET, {"tag:hard": {2, 3}})
    assert [(one.slice, one.candidate, one.mean, one.examples) for one in found] == [
        ("tag:hard", "base", 0.5, 1),
        ("tag:hard", "tuned", 0.25, 2),
        ("tag:hard", "silent", None, 0),
    ]


def test_labels_are_scored_as_a_whole_set() -> None:
    sheet = labelled(base="aaaa", tuned="aabx")
    by_name = {(one.candidate, one.metric): one for one in scores(sheet)}
    assert by_name["base", "accuracy"].mean == 0.5
    assert by_name["base", "accuracy"].interval == wilson_interval(2, 4)
    assert by_name["base", "macro_f1"].mean == pytest.approx((2 / 3 + 0) / 2)
    assert by_name["tuned", "macro_f1"].mean == pytest.approx((1 + 2 / 3) / 2)
    [_, gap] = differences(sheet)
    assert gap.mean == pytest.approx(0.5)
    assert [one.confusion for one in classifications(sheet)] == [
        [[2, 0, 0], [2, 0, 0]],
        [[2, 0, 0], [0, 1, 1]],
    ]


def test_metrics_of_labels_say_nothing_of_free_text() -> None:
    [score] = scores(Sheet(candidates=["base"], metrics=["macro_f1"], marks={"base": {}}))
    assert (score.mean, score.interval, score.examples) == (None, None, 0)


def test_agreement_compares_ratings_with_the_answers_that_were_rated() -> None:
    sheet = rated("judge", base=[0.0, 0.5, 1.0], tuned=[1.0, 1.0, 1.0])
    ratings = [Rating(0, "base", 1), Rating(1, "base", 3), Rating(2, "base", 5)]
    [found] = agreements(sheet, [*ratings, Rating(99, "base", 1)])
    assert (found.ratings, found.spearman, found.kappa) == (3, pytest.approx(1.0), 1.0)


def test_where_less_is_better_agreement_is_turned_around() -> None:
    sheet = rated("latency", base=[3.0, 2.0, 1.0], tuned=[])
    [found] = agreements(sheet, [Rating(row, "base", row + 1) for row in range(3)])
    assert (found.spearman, found.kappa) == (pytest.approx(1.0), None)


@pytest.mark.parametrize(
    ("gate", "passed"),
    [
        (Gate(metric="f1", min_delta=0.3), True),
        (Gate(metric="f1", min_delta=0.48), False),
        (Gate(metric="f1", non_inferiority_margin=0.1), True),
    ],
)
def test_the_gate_goes_by_the_lower_bound(gate: Gate, passed: bool) -> None:
    sheet = rated("f1", base=[0.0] * 20, tuned=[0.4, 0.6] * 10)
    [verdict] = verdicts(gate, sheet, {})
    assert verdict.passed is passed
    assert verdict.gate.gain == pytest.approx(0.5)
    assert verdict.gate.lower_bound is not None
    assert 0.4 < verdict.gate.lower_bound < 0.5
    assert verdict.gate.examples == 20


def test_few_examples_decide_nothing() -> None:
    sheet = rated("f1", base=[0.0] * 3, tuned=[1.0] * 3)
    [verdict] = verdicts(Gate(metric="f1", min_delta=0.0), sheet, {})
    assert (verdict.passed, verdict.gate.gain) == (False, 1.0)
    assert "too few" in verdict.gate.reason


def test_a_saving_is_a_gain() -> None:
    sheet = rated("latency", base=[2.0] * 12, tuned=[0.5] * 12)
    [verdict] = verdicts(Gate(metric="latency", min_delta=1.0), sheet, {})
    assert (verdict.passed, verdict.gate.gain, verdict.gate.lower_bound) == (True, 1.5, 1.5)


def test_a_guard_holds_the_gate() -> None:
    better = rated("f1", base=[0.0] * 12, tuned=[1.0] * 12)
    worse = rated("f1", base=[1.0] * 12, tuned=[0.8] * 12)
    guards = [Guard(metric="f1", max_drop=0.1, evaluation_id="eval_old")]
    [verdict] = verdicts(
        Gate(metric="f1", min_delta=0.1, guards=guards), better, {"eval_old": worse}
    )
    assert (verdict.passed, verdict.gate.passed) == (False, True)
    [guard] = verdict.guards
    assert (guard.passed, guard.gain, guard.needed) == (False, pytest.approx(-0.2), -0.1)


def test_a_guard_whose_evaluation_failed_holds_the_gate() -> None:
    better = rated("f1", base=[0.0] * 12, tuned=[1.0] * 12)
    guards = [Guard(metric="f1", max_drop=0.1, evaluation_id="eval_old")]
    [verdict] = verdicts(
        Gate(metric="f1", min_delta=0.1, guards=guards), better, {"eval_old": None}
    )
    assert (verdict.passed, verdict.guards[0].lower_bound) == (False, None)
