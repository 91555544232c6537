"""Texts that say nearly the same, found by MinHash without comparing every pair.

A text is the set of its pairs of neighbouring words. Two texts are near duplicates when the
Jaccard similarity of their sets, as 128 hashes estimate it, is at least `SIMILAR`.
"""

import importlib
import re
from array import array
from collections.abc import Sequence
from typing import Any

from app.domain.reporting.grouping import Groups

SIMILAR = 0.75
"""One word of thirteen may differ; shorter texts must agree in every word."""

MAX_COMPARED = 200_000
"""Texts that are compared with each other; each takes about one kilobyte of memory."""

MAX_CHARACTERS = 20_000
"""Of a longer text the beginning is compared."""

HASHES = 128
ROWS = 6
BANDS = HASHES // ROWS
"""21 bands of 6: of the pairs at the threshold 98 % share a band, of those at 0.5 28 % do."""

LEADERS = 3
"""Groups that one bucket remembers: a template in every text must not make this quadratic."""

_SEED = 7
_ALONE = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORDS = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")
"""Scripts that are written without spaces count by character."""


class NearDuplicates:
    """Give texts to `add` in batches, then ask `groups`; with less than 0.75 many are missed."""

    def __init__(self, similar: float = SIMILAR) -> None:
        self._similar = similar
        self._sketches: list[Any] = []
        self._bands = [array("q") for _ in range(BANDS)]

    def __len__(self) -> int:
        return len(self._sketches)

    @property
    def is_full(self) -> bool:
        """Whether no more texts are compared."""
        return len(self) >= MAX_COMPARED

    def add(self, texts: Sequence[str]) -> None:
        """Remember texts by their hashes only; past `MAX_COMPARED` they are passed over."""
        room = MAX_COMPARED - len(self)
        for sketch in sketches(texts[:room]):
            self._sketches.append(sketch)
            for band, key in zip(self._bands, band_keys(sketch), strict=True):
                band.append(key)

    def groups(self) -> Groups:
        """The texts, by their place in the order of adding, in groups of near duplicates."""
        groups = Groups(len(self))
        for band in self._bands:
            self._join_within(band, groups)
        return groups

    def _join_within(self, band: "array[int]", groups: Groups) -> None:
        leaders: dict[int, list[int]] = {}
        for number, key in enumerate(band):
            known = leaders.setdefault(key, [])
            if not any(self._joins(number, leader, groups) for leader in known):
                known.append(number)
                del known[:-LEADERS]

    def _joins(self, number: int, leader: int, groups: Groups) -> bool:
        if groups.of(number) == groups.of(leader):
            return True
        if self._sketches[number].jaccard(self._sketches[leader]) < self._similar:
            return False
        groups.join(number, leader)
        return True


def sketches(texts: Sequence[str]) -> list[Any]:
    """The MinHash of each text; two of them have `jaccard`."""
    sets = [word_pairs(text) for text in texts]
    return _minhash().from_token_sets(sets, HASHES, _SEED)


def band_keys(sketch: Any) -> list[int]:
    """A key for each band: texts that share one are worth comparing."""
    digest = array("I", sketch.digest()).tobytes()
    return [
        hash(digest[start : start + ROWS * 4]) for start in range(0, BANDS * ROWS * 4, ROWS * 4)
    ]


def word_pairs(text: str) -> list[str]:
    """The pairs of neighbouring words, with the text's edges as words; never empty."""
    words = _WORDS.findall(text[:MAX_CHARACTERS].casefold())
    if not words:
        return [text]
    return [f"{one} {other}" for one, other in zip(["", *words], [*words, ""], strict=True)]


def _minhash() -> Any:
    """The library's class, loaded on first use."""
    return importlib.import_module("rensa").RMinHash
