"""Metrics of one answer against the expected one, and what their means are worth."""

import random
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from app.domain.evaluations import Interval

RESAMPLES = 2000
"""Enough for two steady digits of a 95 % bootstrap interval (Efron and Tibshirani, 1993)."""


def exact_match(output: str, expected: str) -> float:
    """1.0 where the answers are equal but for white space at the ends, else 0.0."""
    return float(output.strip() == expected.strip())


def token_f1(output: str, expected: str) -> float:
    """F1 over words, as SQuAD scores answers: lower case, no punctuation, no articles."""
    said, wanted = _words(output), _words(expected)
    if not said or not wanted:
        return float(said == wanted)
    shared = sum((Counter(said) & Counter(wanted)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


METRICS: Mapping[str, Callable[[str, str], float]] = {"exact_match": exact_match, "f1": token_f1}
"""Each takes (output, expected) and gives a score from 0 to 1; more is better."""


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; 0.0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def bootstrap_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """The 95 % percentile interval of the mean, over resampled examples."""
    if not values:
        return Interval(0.0, 0.0)
    chance = random.Random(seed)  # noqa: S311
    means = sorted(mean(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Interval(means[round(0.025 * (RESAMPLES - 1))], means[round(0.975 * (RESAMPLES - 1))])


def _words(text: str) -> list[str]:
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()
