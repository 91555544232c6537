"""How long prompts and completions are, in characters, words and estimated tokens."""

from collections import Counter
from itertools import accumulate

from app.domain.reporting.findings import Bar, Histogram, Lengths
from app.domain.tokens import estimate_tokens


class LengthCount:
    """The lengths of one side of all examples."""

    def __init__(self) -> None:
        self._characters: Counter[int] = Counter()
        self._words: Counter[int] = Counter()
        self._tokens: Counter[int] = Counter()

    def see(self, text: str) -> None:
        """Count one text."""
        self._characters[len(text)] += 1
        self._words[len(text.split())] += 1
        self._tokens[estimate_tokens(text)] += 1

    def lengths(self) -> Lengths:
        """All three as histograms."""
        return Lengths(
            characters=histogram(self._characters),
            words=histogram(self._words),
            estimated_tokens=histogram(self._tokens),
        )


def histogram(counts: Counter[int]) -> Histogram:
    """Lengths with how often they occur, as bars whose bounds are powers of two."""
    lengths = sorted(counts)
    if not lengths:
        return Histogram(minimum=0, median=0, p95=0, maximum=0, total=0, bars=[])
    return Histogram(
        minimum=lengths[0],
        median=_quantile(counts, 0.5),
        p95=_quantile(counts, 0.95),
        maximum=lengths[-1],
        total=sum(length * count for length, count in counts.items()),
        bars=_bars(counts),
    )


def _quantile(counts: Counter[int], share: float) -> int:
    """The least length that at least this share of all does not exceed."""
    lengths = sorted(counts)
    wanted = share * sum(counts.values())
    so_far = accumulate(counts[length] for length in lengths)
    return next(length for length, seen in zip(lengths, so_far, strict=True) if seen >= wanted)


def _bars(counts: Counter[int]) -> list[Bar]:
    """0, 1, 2-3, 4-7, ... up to the longest, without gaps."""
    by_bits: Counter[int] = Counter()
    for length, count in counts.items():
        by_bits[length.bit_length()] += count
    return [
        Bar((1 << bits) >> 1, (1 << bits) - 1, by_bits[bits])
        for bits in range(min(by_bits), max(by_bits) + 1)
    ]
