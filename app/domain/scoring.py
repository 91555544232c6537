"""Summing up an evaluation: means, paired differences to the first candidate, slices, agreement."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from app.domain.evaluations import JUDGE, Agreement, Difference, Rating, Score, SliceScore
from app.domain.measures.agreement import spearman, weighted_kappa
from app.domain.measures.classes import Classification, classification
from app.domain.measures.intervals import (
    Quantile,
    between,
    interval,
    mean,
    mean_quantile,
    resampled,
)
from app.domain.metrics import OF_LABELS, is_less_better

MARKS = 4
"""Steps between a judge's worst mark, 1, and its best, 5."""


class Marked(msgspec.Struct, frozen=True):
    """An answer as it is summed up: its scores by metric, and what it said in place of a label."""

    scores: Mapping[str, float]
    said: str = ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """All that was scored: by candidate and row; `labels` by row where the set is one of labels."""

    candidates: Sequence[str]
    metrics: Sequence[str]
    marks: Mapping[str, Mapping[int, Marked]]
    labels: Mapping[int, str] | None = None


class Gap(msgspec.Struct, frozen=True):
    """How far two candidates are apart on the rows that both answered, and where that lies."""

    mean: float
    quantile: Quantile
    examples: int


def scores(sheet: Sheet) -> list[Score]:
    """One mean with its 95 % interval for every candidate and metric."""
    return [
        _score(sheet, candidate, metric)
        for candidate in sheet.candidates
        for metric in sheet.metrics
    ]


def differences(sheet: Sheet) -> list[Difference]:
    """How far every other candidate is from the first, on the rows that both answered."""
    baseline, *others = sheet.candidates
    return [
        _difference(sheet, candidate, baseline, metric)
        for candidate in others
        for metric in sheet.metrics
    ]


def slice_scores(sheet: Sheet, slices: Mapping[str, set[int]]) -> list[SliceScore]:
    """The means over the rows of each slice."""
    return [
        SliceScore(name, *msgspec.structs.astuple(one))
        for name, rows in slices.items()
        for one in scores(_only(sheet, rows))
    ]


def classifications(sheet: Sheet) -> list[Classification]:
    """Each candidate's report by label; none where the set is not one of labels."""
    if sheet.labels is None:
        return []
    return [
        classification(candidate, Counter(_pairs(sheet, candidate).values()))
        for candidate in sheet.candidates
        if sheet.marks.get(candidate)
    ]


def agreements(sheet: Sheet, ratings: Sequence[Rating]) -> list[Agreement]:
    """How far each metric agrees with people, over the answers that both rated."""
    return [_agreement(sheet, ratings, metric) for metric in sheet.metrics] if ratings else []


def gap(sheet: Sheet, candidate: str, baseline: str, metric: str) -> Gap | None:
    """How far a candidate scores above the baseline; None where they share no example."""
    ours, theirs = (_items(sheet, who, metric) for who in (candidate, baseline))
    pairs = [(ours[row], theirs[row]) for row in sorted(ours.keys() & theirs.keys())]
    if not pairs:
        return None
    if metric not in OF_LABELS:
        gaps = [our - their for our, their in pairs]
        return Gap(mean(gaps), mean_quantile(gaps), len(gaps))
    distance = _distance(OF_LABELS[metric])
    return Gap(distance(Counter(pairs)), _resampled(pairs, distance), len(pairs))


def _score(sheet: Sheet, candidate: str, metric: str) -> Score:
    items = list(_items(sheet, candidate, metric).values())
    if not items:
        return Score(candidate, metric, None, None, 0)
    if metric not in OF_LABELS:
        return Score(candidate, metric, mean(items), interval(items), len(items))
    statistic = OF_LABELS[metric]
    if metric == "accuracy":
        sureness = interval([float(expected == said) for expected, said in items])
    else:
        sureness = between(_resampled(items, statistic))
    return Score(candidate, metric, statistic(Counter(items)), sureness, len(items))


def _difference(sheet: Sheet, candidate: str, baseline: str, metric: str) -> Difference:
    found = gap(sheet, candidate, baseline, metric)
    if found is None:
        return Difference(candidate, baseline, metric, None, None, 0)
    sureness = between(found.quantile)
    return Difference(candidate, baseline, metric, found.mean, sureness, found.examples)


def _distance(
    statistic: Callable[[Counter[tuple[str, str]]], float],
) -> Callable[[Counter[Any]], float]:
    """A statistic's difference between the sides of pairs, from how often each pair came."""

    def distance(pairs: Counter[Any]) -> float:
        ours: Counter[tuple[str, str]] = Counter()
        theirs: Counter[tuple[str, str]] = Counter()
        for (our, their), count in pairs.items():
            ours[our] += count
            theirs[their] += count
        return statistic(ours) - statistic(theirs)

    return distance


def _resampled(items: Sequence[Any], statistic: Callable[[Counter[Any]], float]) -> Quantile:
    """Where a statistic of counts lies; items are drawn by number, which counts quicker."""
    kinds = list(dict.fromkeys(items))
    number = {kind: place for place, kind in enumerate(kinds)}

    def of_numbers(drawn: Sequence[int]) -> float:
        counts = Counter(drawn).items()
        return statistic(Counter({kinds[place]: count for place, count in counts}))

    return resampled([number[item] for item in items], of_numbers)


def _items(sheet: Sheet, candidate: str, metric: str) -> Mapping[int, Any]:
    """What a metric is computed from, by row: scores, or (expected, said) for labels."""
    if metric in OF_LABELS:
        return _pairs(sheet, candidate)
    marks = sheet.marks.get(candidate, {})
    return {
        row: marked.scores[metric]
        for row, marked in sorted(marks.items())
        if metric in marked.scores
    }


def _pairs(sheet: Sheet, candidate: str) -> dict[int, tuple[str, str]]:
    if sheet.labels is None:
        return {}
    marks = sheet.marks.get(candidate, {})
    return {
        row: (sheet.labels[row], marked.said)
        for row, marked in sorted(marks.items())
        if row in sheet.labels
    }


def _only(sheet: Sheet, rows: set[int]) -> Sheet:
    marks = {
        candidate: {row: marked for row, marked in by_row.items() if row in rows}
        for candidate, by_row in sheet.marks.items()
    }
    return msgspec.structs.replace(sheet, marks=marks)


def _agreement(sheet: Sheet, ratings: Sequence[Rating], metric: str) -> Agreement:
    rated = [
        (rating.score, marked.scores[metric])
        for rating in ratings
        if (marked := sheet.marks.get(rating.candidate, {}).get(rating.line)) is not None
        and metric in marked.scores
    ]
    people, scored = [pair[0] for pair in rated], [pair[1] for pair in rated]
    better = [-score for score in scored] if is_less_better(metric) else scored
    kappa = None
    if metric == JUDGE:
        kappa = weighted_kappa(people, [1 + round(MARKS * score) for score in scored])
    return Agreement(
        metric=metric, ratings=len(rated), spearman=spearman(people, better), kappa=kappa
    )
