"""How far two raters agree: Spearman's correlation of ranks, and Cohen's kappa by squares."""

import math
from collections import Counter
from collections.abc import Sequence


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties sharing a rank; None where one side never varies."""
    if not one:
        return None
    first, second = _ranks(one), _ranks(other)
    shared = sum(left * right for left, right in zip(first, second, strict=True))
    spread = math.sqrt(sum(rank**2 for rank in first) * sum(rank**2 for rank in second))
    return shared / spread if spread else None


def weighted_kappa(one: Sequence[int], other: Sequence[int]) -> float | None:
    """Cohen's kappa with quadratic weights, as for marks; None where both give one mark only."""
    if not one:
        return None
    pairs = zip(one, other, strict=True)
    observed = sum((left - right) ** 2 for left, right in pairs) / len(one)
    marks, others = Counter(one), Counter(other)
    by_chance = (
        sum(
            times * times_other * (mark - other_mark) ** 2
            for mark, times in marks.items()
            for other_mark, times_other in others.items()
        )
        / len(one) ** 2
    )
    return 1 - observed / by_chance if by_chance else None


def _ranks(values: Sequence[float]) -> list[float]:
    """Each value's rank, measured from the middle one."""
    times = Counter(values)
    rank_of: dict[float, float] = {}
    below = 0
    for value in sorted(times):
        rank_of[value] = below + (times[value] + 1) / 2
        below += times[value]
    middle = (len(values) + 1) / 2
    return [rank_of[value] - middle for value in values]
