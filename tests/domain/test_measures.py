"""Measures against the libraries that define them, and intervals against what they promise."""

import random
import warnings
from collections import Counter
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import pytest
import sacrebleu
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from scipy import stats
from sklearn import metrics as sklearn

from app.domain.evaluations import Interval
from app.domain.examples import FunctionCall, ToolCall
from app.domain.measures.agreement import spearman, weighted_kappa
from app.domain.measures.classes import classification
from app.domain.measures.intervals import (
    bootstrap_interval,
    interval,
    mean,
    mean_quantile,
    wilson_interval,
)
from app.domain.measures.ngrams import bleu, chrf
from app.domain.measures.structure import json_fields, json_valid, tool_calls
from app.domain.measures.words import edit_similarity, exact_match, rouge_l, token_f1

scores = st.lists(st.floats(-1, 1), min_size=1, max_size=20)
sentences = st.lists(
    st.sampled_from(
        ["the", "cat", "3.5", "mats,", "well-made", "&", "1,000", "(red)", "U.S.", "4-5"]
    ),
    min_size=1,
    max_size=12,
).map(" ".join)
marks = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=30)
labels = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcx")), min_size=1)

TEXT_MEASURES = [exact_match, token_f1, rouge_l, bleu, chrf, edit_similarity]


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


@pytest.mark.parametrize("measure", TEXT_MEASURES)
@given(one=st.text(), other=st.text())
def test_a_measure_is_between_0_and_1_and_full_for_the_same(
    measure: Callable[[str, str], float], one: str, other: str
) -> None:
    assert 0.0 <= measure(one, other) <= 1.0
    assert measure(one, one) == pytest.approx(1.0)


@given(sentences, sentences)
def test_rouge_l_is_that_of_rouge_score(output: str, expected: str) -> None:
    assume(any(sign.isalnum() for sign in output + expected))
    theirs: Any = RougeScorer(["rougeL"]).score(expected, output)["rougeL"]
    assert rouge_l(output, expected) == pytest.approx(theirs.fmeasure)


def test_rouge_l_reads_words_of_any_script() -> None:
    assert rouge_l("кот спит", "кот ест") == pytest.approx(0.5)


@given(sentences, sentences)
def test_bleu_and_chrf_are_those_of_sacrebleu(output: str, expected: str) -> None:
    theirs = sacrebleu.sentence_bleu(output, [expected]).score / 100
    assert bleu(output, expected) == pytest.approx(theirs, abs=1e-9)
    theirs = sacrebleu.sentence_chrf(output, [expected]).score / 100
    assert chrf(output, expected) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(
    ("output", "expected", "score"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b": [2, 1], "a": 1.0}', 1.0),
        ('{"a": 1}', '{"a": 1, "b": 2}', 2 / 3),
        ('{"a": true}', '{"a": 1}', 0.0),
        ('{"a": {"x": 1, "y": 2}}', '{"a": {"x": 1, "y": 3}}', 0.5),
        ('```json\n{"a": 1}\n```', '{"a": 1}', 0.0),
        ("{}", "{}", 1.0),
    ],
)
def test_json_is_compared_field_by_field(output: str, expected: str, score: float) -> None:
    assert json_fields(output, expected) == pytest.approx(score)


@pytest.mark.parametrize(
    ("text", "score"), [('{"a": [1]}', 1.0), ('{"a": NaN}', 0.0), ("{", 0.0), ("[" * 9999, 0.0)]
)
def test_json_is_what_the_standard_says(text: str, score: float) -> None:
    assert json_valid(text) == score


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ([("look", '{"b": 2, "a": 1}')], 1.0),
        ([("look", '{"a": 1}')], 0.0),
        ([("peek", '{"a": 1, "b": 2}')], 0.0),
        ([("look", '{"a": 1, "b": 2}'), ("look", "{}")], 2 / 3),
        ([("look", "not json")], 0.0),
        ([], 0.0),
    ],
)
def test_calls_are_right_by_name_and_arguments(said: list[tuple[str, str]], score: float) -> None:
    wanted = [ToolCall("1", FunctionCall("look", '{"a": 1, "b": 2}'))]
    calls = [ToolCall(str(number), FunctionCall(*call)) for number, call in enumerate(said)]
    assert tool_calls(calls, wanted) == pytest.approx(score)


@given(labels)
def test_a_classification_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    found = classification("one", Counter(pairs))
    expected, said = zip(*pairs, strict=True)
    known = sorted(set(expected))
    asked: dict[str, Any] = {"labels": known, "zero_division": 0}
    assert found.accuracy == pytest.approx(sklearn.accuracy_score(expected, said))
    for average, ours in (("macro", found.macro_f1), ("micro", found.micro_f1)):
        assert ours == pytest.approx(sklearn.f1_score(expected, said, average=average, **asked))
    theirs: Any = sklearn.precision_recall_fscore_support(expected, said, **asked)
    ours = [(one.precision, one.recall, one.f1, one.support) for one in found.by_label]
    assert ours == [pytest.approx(row) for row in zip(*theirs, strict=True)]
    others = sorted({"a", "b", "c", "x"} - set(known))
    table: Any = sklearn.confusion_matrix(expected, said, labels=[*found.labels, *others])
    count = len(found.labels)
    assert found.confusion == [[*row[:count], sum(row[count:])] for row in table.tolist()[:count]]


@given(marks)
def test_kappa_and_rank_correlation_are_those_of_the_libraries(
    pairs: list[tuple[int, int]],
) -> None:
    one, other = ([pair[side] for pair in pairs] for side in (0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kappa = sklearn.cohen_kappa_score(one, other, weights="quadratic", labels=[1, 2, 3, 4, 5])
        rho: Any = stats.spearmanr(one, other)
    assert weighted_kappa(one, other) == (None if kappa != kappa else pytest.approx(kappa))
    is_known = len(set(one)) > 1 < len(set(other))
    assert spearman(one, other) == (pytest.approx(rho.statistic) if is_known else None)


@pytest.mark.parametrize(("right", "total"), [(0, 7), (7, 7), (3, 7), (950, 1000)])
def test_wilson_is_that_of_scipy(right: int, total: int) -> None:
    theirs = stats.binomtest(right, total).proportion_ci(method="wilson")
    ours = wilson_interval(right, total)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_shares_have_wilson_s_interval_and_other_scores_a_resampled_one() -> None:
    assert interval([1.0, 1.0, 0.0]) == wilson_interval(2, 3)
    assert interval([0.5, 0.25]) == bootstrap_interval([0.5, 0.25])


@settings(max_examples=25)
@given(scores)
def test_the_interval_lies_around_the_mean_and_within_the_values(values: list[float]) -> None:
    found = bootstrap_interval(values)
    rounding = 1e-9
    assert min(values) - rounding <= found.low <= mean(values) + rounding
    assert mean(values) - rounding <= found.high <= max(values) + rounding


def test_the_interval_is_reproducible_and_that_of_the_normal_law() -> None:
    values = [0.0, 1.0] * 50
    found = bootstrap_interval(values)
    assert found == bootstrap_interval(values)
    assert found.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)


def test_many_values_follow_the_normal_law() -> None:
    chance = random.Random(1)
    values = [chance.random() for _ in range(2000)]
    law = NormalDist(mean(values), (1 / 12 / 2000) ** 0.5)
    assert mean_quantile(values)(0.05) == pytest.approx(law.inv_cdf(0.05), abs=0.001)
    assert mean_quantile([0.25] * 2000)(0.05) == 0.25


def test_what_never_varies_is_certain() -> None:
    assert bootstrap_interval([0.25] * 10) == bootstrap_interval([0.25]) == Interval(0.25, 0.25)


def test_nothing_has_the_mean_0() -> None:
    assert mean([]) == bootstrap_interval([]).low == bootstrap_interval([]).high == 0.0
