"""How sure a mean is: Wilson's interval for shares, resampling for few values, else the normal law.

Chance is seeded: the same values give the same interval.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist, fmean, stdev
from typing import TypeVar

from app.domain.chance import seeded
from app.domain.evaluations import Interval

RESAMPLES = 2000
"""Enough for two steady digits of a 95 % bootstrap interval (Efron and Tibshirani, 1993)."""

MAX_RESAMPLED = 500
"""Values from which on the mean's law is normal to more digits than resampling has."""

CONFIDENCE = 0.95

Drawn = TypeVar("Drawn")
Quantile = Callable[[float], float]
"""The bound below which a mean lies with that probability, from 0 to 1."""


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; 0.0 of nothing."""
    return fmean(values) if values else 0.0


def interval(values: Sequence[float]) -> Interval:
    """The 95 % interval of a mean of scores: Wilson's where they are all 0 or 1."""
    if values and all(value in (0.0, 1.0) for value in values):
        return wilson_interval(round(sum(values)), len(values))
    return between(mean_quantile(values))


def wilson_interval(right: int, total: int) -> Interval:
    """The 95 % score interval of a share (Wilson, 1927)."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, weight = right / total, z * z / total
    middle = (share + weight / 2) / (1 + weight)
    reach = z * math.sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    low = 0.0 if right == 0 else max(middle - reach, 0.0)
    return Interval(low, 1.0 if right == total else min(middle + reach, 1.0))


def bootstrap_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """The 95 % percentile interval of the mean, over resampled examples."""
    return between(resampled(values, mean, seed=seed))


def mean_quantile(values: Sequence[float]) -> Quantile:
    """Where the mean lies: by resampling, or by the normal law where there are many values."""
    if len(values) <= MAX_RESAMPLED:
        return resampled(values, mean)
    middle, error = fmean(values), stdev(values) / math.sqrt(len(values))
    return NormalDist(middle, error).inv_cdf if error else lambda _: middle


def resampled(
    values: Sequence[Drawn], statistic: Callable[[list[Drawn]], float], *, seed: int = 0
) -> Quantile:
    """Where a statistic lies over values that are drawn again and again; 0.0 of nothing."""
    if not values:
        return lambda _: 0.0
    chance = seeded(seed)
    found = sorted(statistic(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return lambda share: found[round(share * (RESAMPLES - 1))]


def between(quantile: Quantile) -> Interval:
    """The middle 95 %."""
    tail = (1 - CONFIDENCE) / 2
    return Interval(quantile(tail), quantile(1 - tail))
