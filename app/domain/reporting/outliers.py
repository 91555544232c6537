"""Prompts and completions whose length is far from that of the rest.

Lengths spread by factors, so their logarithms are compared: a text is an outlier where its
modified z-score, 0.6745 * |x - median| / MAD of log2(1 + characters), is above 3.5 (Iglewicz and
Hoaglin, 1993) and it is at least four times as long or as short as the median.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate

from app.domain.reporting.findings import MAX_LINES, Finding, Severity

MIN_TEXTS = 50
"""Of fewer texts nobody can say what is usual."""

LIMIT = 3.5 / 0.6745
"""In median absolute deviations."""

LEAST_DISTANCE = 2.0
"""In powers of two: lengths that are all alike must not make outliers of small differences."""


_ADVICE = {
    "long": "Read these lines: two examples run together, or a document pasted whole? They cost "
    "most of all and are cut where the model's context ends. Shorten, divide or drop them.",
    "short": "Read these lines: is something missing? If so, complete or drop them.",
}


class Outliers:
    """Remembers the length of each text of one side, four bytes each."""

    def __init__(self, side: str) -> None:
        self._side = side
        self._lengths = array("I")
        self._lines = array("I")

    def see(self, line: int, text: str) -> None:
        """Note one text; an empty one is no matter of length."""
        if text:
            self._lengths.append(len(text))
            self._lines.append(line)

    def findings(self) -> list[Finding]:
        """The texts that are far longer or shorter than the rest; the farthest are named."""
        if len(self._lengths) < MIN_TEXTS:
            return []
        low, high = usual(self._lengths)
        rest = f"characters, where {low:,} to {high:,} are usual."
        numbered = list(zip(self._lengths, self._lines, strict=True))
        long = sorted(((n, line) for n, line in numbered if n > high), reverse=True)
        short = sorted((n, line) for n, line in numbered if n < low)
        return [
            *self._finding("long", long, f"longer than the rest: up to {{:,}} {rest}"),
            *self._finding("short", short, f"shorter than the rest: down to {{:,}} {rest}"),
        ]

    def _finding(self, how: str, found: list[tuple[int, int]], message: str) -> list[Finding]:
        """The finding about lengths with their lines, the farthest first."""
        if not found:
            return []
        side, farthest = self._side, found[0][0]
        return [
            Finding(
                code=f"{side}s_{how}",
                severity=Severity.WARNING if how == "long" else Severity.INFO,
                count=len(found),
                message=f"{len(found):,} {side}s are far {message.format(farthest)}",
                advice=_ADVICE[how],
                lines=sorted(line for _, line in found[:MAX_LINES]),
            )
        ]


def usual(lengths: Iterable[int]) -> tuple[int, int]:
    """The least and the greatest length, in characters, that are no outliers."""
    logs = {math.log2(1 + length): count for length, count in Counter(lengths).items()}
    middle = _median(logs)
    deviations: Counter[float] = Counter()
    for log, count in logs.items():
        deviations[abs(log - middle)] += count
    distance = max(LIMIT * _median(deviations), LEAST_DISTANCE)
    return max(math.ceil(2 ** (middle - distance) - 1), 0), math.floor(2 ** (middle + distance) - 1)


def _median(counts: Mapping[float, int]) -> float:
    """The least value that half of all do not exceed."""
    values = sorted(counts)
    half = sum(counts.values()) / 2
    so_far = accumulate(counts[value] for value in values)
    return next(value for value, seen in zip(values, so_far, strict=True) if seen >= half)
