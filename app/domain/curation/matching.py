"""Which places of one sequence stand for which of another, in order and without comparing all."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

ALONE = -1


def match(before: Sequence[Hashable], after: Sequence[Hashable]) -> "array[int]":
    """For every place of `after` the place of `before` that it stands for, or `ALONE`.

    Common beginnings and ends are matched first; in between the n-th of equal things goes with the
    n-th, and as many pairs are kept as there are in order. Where nothing comes twice this is a
    longest common subsequence, found in n log n steps.
    """
    twins = array("q", [ALONE]) * len(after)
    start = _common(zip(before, after, strict=False))
    room = min(len(before), len(after)) - start
    end = min(_common(zip(reversed(before), reversed(after), strict=False)), room)
    for place in range(start):
        twins[place] = place
    for place in range(len(after) - end, len(after)):
        twins[place] = place + len(before) - len(after)
    pairs = _equal(before, after, start, end)
    for twin, place in _in_order(pairs):
        twins[place] = twin
    return twins


def gaps(twins: Sequence[int], before: int) -> Iterator[tuple[range, range]]:
    """What lies between the pairs, as places of both sequences."""
    next_before = next_after = 0
    for place, twin in enumerate(twins):
        if twin == ALONE:
            continue
        if twin > next_before or place > next_after:
            yield range(next_before, twin), range(next_after, place)
        next_before, next_after = twin + 1, place + 1
    if before > next_before or len(twins) > next_after:
        yield range(next_before, before), range(next_after, len(twins))


def _common(pairs: "zip[tuple[Hashable, Hashable]]") -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _equal(
    before: Sequence[Hashable], after: Sequence[Hashable], start: int, end: int
) -> list[tuple[int, int]]:
    """Pairs of equal things between both ends, by their place in `after`."""
    place_of: dict[tuple[Hashable, int], int] = {}
    seen: Counter[Hashable] = Counter()
    for place in range(start, len(before) - end):
        thing = before[place]
        place_of[thing, seen[thing]] = place
        seen[thing] += 1
    seen.clear()
    pairs: list[tuple[int, int]] = []
    for place in range(start, len(after) - end):
        thing = after[place]
        twin = place_of.get((thing, seen[thing]))
        seen[thing] += 1
        if twin is not None:
            pairs.append((twin, place))
    return pairs


def _in_order(pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """As many pairs as rise on both sides: a longest increasing subsequence, last pair first."""
    ends: list[int] = []
    """The smallest place of `before` on which a rising run of each length can end."""
    holders: list[int] = []
    previous: list[int] = []
    for number, (twin, _) in enumerate(pairs):
        length = bisect_left(ends, twin)
        previous.append(holders[length - 1] if length else ALONE)
        if length == len(ends):
            ends.append(twin)
            holders.append(number)
        else:
            ends[length], holders[length] = twin, number
    number = holders[-1] if holders else ALONE
    while number != ALONE:
        yield pairs[number]
        number = previous[number]
