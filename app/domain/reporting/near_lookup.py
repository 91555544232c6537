"""Remembered texts that are nearly the same as a text that is looked up."""

from collections.abc import Container, Iterator, Sequence
from typing import Any

from app.domain.reporting.near_duplicates import (
    BANDS,
    MAX_COMPARED,
    SIMILAR,
    band_keys,
    sketches,
)

CANDIDATES = 20
"""Texts that one bucket remembers: a template in every text must not make this quadratic."""


class NearLookup:
    """Give texts to `add`, then look others up with `find`; memory grows with the first only."""

    def __init__(self) -> None:
        self._sketches: list[Any] = []
        self._buckets: list[dict[int, list[int]]] = [{} for _ in range(BANDS)]

    def __len__(self) -> int:
        return len(self._sketches)

    def add(self, texts: Sequence[str]) -> None:
        """Remember texts, numbered from 0; past `MAX_COMPARED` they are passed over."""
        for sketch in sketches(texts[: MAX_COMPARED - len(self)]):
            number = len(self)
            self._sketches.append(sketch)
            for buckets, key in zip(self._buckets, band_keys(sketch), strict=True):
                bucket = buckets.setdefault(key, [])
                if len(bucket) < CANDIDATES:
                    bucket.append(number)

    def find(self, texts: Sequence[str], *, known: Container[int]) -> Iterator[list[int]]:
        """For each text the numbers of its near duplicates; those in `known` are passed over."""
        for sketch in sketches(texts):
            yield [
                number
                for number in self._candidates(sketch)
                if number not in known and sketch.jaccard(self._sketches[number]) >= SIMILAR
            ]

    def _candidates(self, sketch: Any) -> set[int]:
        return {
            number
            for buckets, key in zip(self._buckets, band_keys(sketch), strict=True)
            for number in buckets.get(key, ())
        }
