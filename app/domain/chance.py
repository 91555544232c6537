"""Chance that can be had again: for samples, shuffles and resampling, never for a secret."""

import random


def seeded(seed: int) -> random.Random:
    """The same draws for the same seed."""
    return random.Random(seed)  # noqa: S311 - repeatable by design; no secret comes of it
