"""Summing up an evaluation: each candidate's mean, and paired differences to the first one."""

from collections.abc import Mapping, Sequence

from app.domain.evaluations import Difference, Score
from app.domain.metrics import bootstrap_interval, mean

Scores = Mapping[tuple[str, int], Mapping[str, float]]
"""What each (candidate, row) scored by metric."""


def scores(given: Scores, candidates: Sequence[str], metrics: Sequence[str]) -> list[Score]:
    """One mean with its 95 % interval for every candidate and metric."""
    return [
        _score(candidate, metric, list(_by_row(given, candidate, metric).values()))
        for candidate in candidates
        for metric in metrics
    ]


def differences(
    given: Scores, candidates: Sequence[str], metrics: Sequence[str]
) -> list[Difference]:
    """How much better every other candidate is than the first, on the rows that both answered."""
    baseline, *others = candidates
    return [
        _difference(given, candidate, baseline, metric)
        for candidate in others
        for metric in metrics
    ]


def _score(candidate: str, metric: str, values: Sequence[float]) -> Score:
    return Score(candidate, metric, mean(values), bootstrap_interval(values), len(values))


def _difference(given: Scores, candidate: str, baseline: str, metric: str) -> Difference:
    theirs, ours = _by_row(given, baseline, metric), _by_row(given, candidate, metric)
    gaps = [ours[row] - theirs[row] for row in sorted(ours.keys() & theirs.keys())]
    return Difference(candidate, baseline, metric, mean(gaps), bootstrap_interval(gaps))


def _by_row(given: Scores, candidate: str, metric: str) -> dict[int, float]:
    return {row: values[metric] for (who, row), values in sorted(given.items()) if who == candidate}
