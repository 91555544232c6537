"""How much of a held-out dataset a model has seen before, if it was trained with another one.

A held-out example counts once, by the strongest tie: the same example, the same prompt, a near
duplicate of the prompt.
"""

from array import array
from collections.abc import Sequence

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.examples import decode_example
from app.domain.reporting.near_lookup import NearLookup
from app.domain.reporting.parts import Parts, Prompts, take_apart, text_key

MAX_PAIRS = 100

NEGLIGIBLE = 0.01
"""Of so small a share the effect is less than the interval of most measurements."""

_UNSEEN = 0


class LeakedPair(msgspec.Struct, frozen=True):
    """A held-out line, and the first line of the training data that gives it away."""

    held_out: int
    line: int


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of leak; the first hundred pairs are named."""

    count: int
    share: float
    pairs: list[LeakedPair]


class Leakage(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; shares are of the held-out examples."""

    examples: int
    compared: int
    """Distinct held-out prompts that near duplicates were looked for of."""
    affected: int
    share: float
    same_example: Leak
    same_prompt: Leak
    near_prompt: Leak
    next: str


class LeakageSearch:
    """Give both sides to `learn`, the held-out lines to `hold`, the others to `compare`.

    Memory grows by about a kilobyte for each distinct held-out prompt, and by a hash for each
    system prompt; the training data may have any size.
    """

    def __init__(self) -> None:
        self._prompts = Prompts()
        self._near = NearLookup()
        self._prompt_of_row = array("I")
        self._pair_of_row: list[bytes] = []
        self._prompt_numbers: dict[bytes, int] = {}
        self._line_of_pair: dict[bytes, int] = {}
        self._line_of_prompt: dict[int, int] = {}
        self._line_of_near: dict[int, int] = {}
        self._compared_lines = 0

    def learn(self, lines: Sequence[bytes], kind: DatasetKind) -> None:
        """Learn which system prompts come again: they tell no prompt from another."""
        self._prompts.learn(_taken_apart(lines, kind))

    def hold(self, lines: Sequence[bytes], kind: DatasetKind) -> None:
        """Remember the next held-out lines by their hashes."""
        fresh: list[str] = []
        for parts in _taken_apart(lines, kind):
            text = self._prompts.text(parts)
            number = self._prompt_numbers.setdefault(text_key(text), len(self._prompt_numbers))
            if number == len(self._near) + len(fresh):
                fresh.append(text)
            self._prompt_of_row.append(number)
            self._pair_of_row.append(_pair(parts))
            self._line_of_pair[_pair(parts)] = _UNSEEN
        self._near.add(fresh)

    def compare(self, lines: Sequence[bytes], kind: DatasetKind) -> None:
        """Look the next lines of the training data up."""
        batch = _taken_apart(lines, kind)
        texts = [self._prompts.text(parts) for parts in batch]
        start = self._compared_lines + 1
        for line, (parts, text) in enumerate(zip(batch, texts, strict=True), start):
            if self._line_of_pair.get(_pair(parts)) == _UNSEEN:
                self._line_of_pair[_pair(parts)] = line
            number = self._prompt_numbers.get(text_key(text))
            if number is not None:
                self._line_of_prompt.setdefault(number, line)
        for line, numbers in enumerate(self._near.find(texts, known=self._line_of_near), start):
            self._line_of_near.update(dict.fromkeys(numbers, line))
        self._compared_lines += len(batch)

    def found(self) -> Leakage:
        """What leaks."""
        examples, prompts, near = _Pairs(), _Pairs(), _Pairs()
        for row, (number, pair) in enumerate(
            zip(self._prompt_of_row, self._pair_of_row, strict=True), start=1
        ):
            if line := self._line_of_pair[pair]:
                examples.add(row, line)
            elif line := self._line_of_prompt.get(number):
                prompts.add(row, line)
            elif line := self._line_of_near.get(number):
                near.add(row, line)
        total = len(self._pair_of_row)
        affected = examples.count + prompts.count + near.count
        return Leakage(
            examples=total,
            compared=len(self._near),
            affected=affected,
            share=round(affected / total, 4),
            same_example=examples.leak(total),
            same_prompt=prompts.leak(total),
            near_prompt=near.leak(total),
            next=next_step(affected, total),
        )


def next_step(affected: int, total: int) -> str:
    """The next best thing to do."""
    if not affected:
        return "No held-out prompt was found in the training data: measure with it."
    if affected < NEGLIGIBLE * total:
        return (
            f"{affected:,} of {total:,} held-out examples are too few to move a measurement by "
            "much: look at them, and measure."
        )
    return (
        f"{affected:,} of {total:,} held-out examples measure what was learned by heart. Take them "
        "out of one side, or split the whole anew with POST /datasets/{ref}/split, which keeps "
        "such examples together."
    )


class _Pairs:
    """Counts pairs, and remembers the first hundred."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[LeakedPair] = []

    def add(self, held_out: int, line: int) -> None:
        self.count += 1
        if len(self._first) < MAX_PAIRS:
            self._first.append(LeakedPair(held_out, line))

    def leak(self, total: int) -> Leak:
        return Leak(count=self.count, share=round(self.count / total, 4), pairs=self._first)


def _taken_apart(lines: Sequence[bytes], kind: DatasetKind) -> list[Parts]:
    return [take_apart(decode_example(line, kind)) for line in lines]


def _pair(parts: Parts) -> bytes:
    """What two equal examples have in common."""
    return parts.context_key + parts.answer_key + (parts.rejected_key or b"")
