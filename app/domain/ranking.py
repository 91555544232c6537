"""Which examples to look at first: where a candidate is worst, or where candidates differ most."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from app.domain.metrics import is_less_better

BEST = 1.0
"""What an answer without a fault scores on every metric of quality."""

Scores = Mapping[tuple[str, int], Mapping[str, float]]
"""What each (candidate, row) scored by metric."""


class Order(StrEnum):
    """How examples are sorted."""

    ROW = "row"
    WORST = "worst"
    DISAGREEMENT = "disagreement"


def ranked(
    given: Scores, order: Order, *, metric: str, candidate: str, candidates: Sequence[str]
) -> list[int]:
    """The rows that somebody answered, in order; rows without a score come last.

    `worst` goes by `candidate`'s score on the metric, `disagreement` by how far the best and the
    worst of all candidates are apart.
    """
    rows = sorted({row for _, row in given})
    if order is Order.ROW:
        return rows
    keys = {
        row: badness(given, row, order, metric=metric, candidate=candidate, candidates=candidates)
        for row in rows
    }
    known = [row for row in rows if keys[row] is not None]
    unknown = [row for row in rows if keys[row] is None]
    return sorted(known, key=lambda row: -(keys[row] or 0.0)) + unknown


def is_weak(
    given: Scores,
    row: int,
    order: Order,
    *,
    metric: str,
    candidate: str,
    candidates: Sequence[str],
) -> bool:
    """Whether there is something to correct: a score below the best, or candidates apart."""
    found = badness(given, row, order, metric=metric, candidate=candidate, candidates=candidates)
    if found is None:
        return False
    is_distance = order is Order.DISAGREEMENT
    return found > 0 if is_distance or is_less_better(metric) else found > -BEST


def badness(
    given: Scores,
    row: int,
    order: Order,
    *,
    metric: str,
    candidate: str,
    candidates: Sequence[str],
) -> float | None:
    """What puts a row first; None where it has no score to go by."""
    if order is not Order.DISAGREEMENT:
        score = given.get((candidate, row), {}).get(metric)
        return score if score is None or is_less_better(metric) else -score
    return spread_of([given.get((name, row), {}).get(metric) for name in candidates])


def spread_of(found: Sequence[float | None]) -> float | None:
    """How far the best and the worst are apart; None where fewer than two are known."""
    known = [score for score in found if score is not None]
    return max(known) - min(known) if len(known) > 1 else None
