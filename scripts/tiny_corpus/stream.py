"""The endless stream of texts of the small world, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tiny_corpus.documents import document
from tiny_corpus.exchanges import Turn, exchange

CHAT_SHARE = 0.6


def texts(seed: int) -> Iterator[str | list[Turn]]:
    """Plain texts and conversations without end, mixed by `CHAT_SHARE`."""
    random = Random(seed)
    while True:
        yield exchange(random) if random.random() < CHAT_SHARE else document(random)
