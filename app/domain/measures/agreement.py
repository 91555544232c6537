"""How far two raters agree: Spearman's correlation of ranks, and Cohen's kappa by squares."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties sharing their mean rank; None where one side never varies."""
    first, second = _ranks(one), _ranks(other)
    if len(first) < 2:
        return None
    shared = sum(
        (left - fmean(first)) * (right - fmean(second))
        for left, right in zip(first, second, strict=True)
    )
    spread = math.sqrt(_squares(first) * _squares(second))
    return shared / spread if spread else None


def weighted_kappa(one: Sequence[int], other: Sequence[int]) -> float | None:
    """Cohen's kappa with quadratic weights, as for marks; None where both give one mark only."""
    if not one:
        return None
    pairs = zip(one, other, strict=True)
    observed = sum((left - right) ** 2 for left, right in pairs) / len(one)
    marks, others = Counter(one), Counter(other)
    by_chance = sum(
        times * times_other * (mark - other_mark) ** 2
        for mark, times in marks.items()
        for other_mark, times_other in others.items()
    ) / len(one) ** 2
    return 1 - observed / by_chance if by_chance else None


def _ranks(values: Sequence[float]) -> list[float]:
    times = Counter(values)
    rank_of: dict[float, float] = {}
    below = 0
    for value in sorted(times):
        rank_of[value] = below + (times[value] + 1) / 2
        below += times[value]
    return [rank_of[value] for value in values]


def _squares(values: Sequence[float]) -> float:
    middle = fmean(values)
    return sum((value - middle) ** 2 for value in values)
