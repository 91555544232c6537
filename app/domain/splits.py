"""Splitting a dataset so that what was learned cannot leak into what it is measured with.

Examples that belong together (the same prompt, a near duplicate of it, the same value of a key)
stay on one side, labels are spread evenly, and the same seed gives the same sides.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain.chance import seeded
from app.domain.datasets import DatasetKind
from app.domain.errors import Fault, Invalid, SplitImpossible
from app.domain.examples import decode_example
from app.domain.reporting.grouping import Groups
from app.domain.reporting.labels import Labels
from app.domain.reporting.near_duplicates import NearDuplicates
from app.domain.reporting.parts import Prompts, take_apart, text_key

TRAIN, VALIDATION, TEST = "train", "validation", "test"


class Shares(msgspec.Struct, frozen=True):
    """What part of the examples goes where; the rest is for training."""

    validation: float
    test: float

    @property
    def by_part(self) -> dict[str, float]:
        """The share of every part that is wanted, training first."""
        train = 1.0 - self.validation - self.test
        parts = {TRAIN: train, VALIDATION: self.validation, TEST: self.test}
        return {part: share for part, share in parts.items() if share > 0}


class Sides(msgspec.Struct, frozen=True):
    """Which part every row goes to, and how that was found."""

    parts: list[str]
    groups: int
    is_stratified: bool
    compared: int


class Sorting:
    """Give the canonical lines in order to `feed`, then call `sides`; no text is kept."""

    def __init__(self, kind: DatasetKind, *, group_by: str | None = None) -> None:
        self._kind = kind
        self._group_by = None if group_by is None else _steps(group_by)
        self._prompts = Prompts()
        self._near = NearDuplicates()
        self._prompt_of_row: list[int] = []
        self._prompt_numbers: dict[bytes, int] = {}
        self._first_rows: list[int] = []
        self._rows_by_value: dict[bytes, list[int]] = {}
        self._row_of_context: dict[bytes, int] = {}
        self._twins: list[tuple[int, int]] = []
        self._answers: list[bytes] = []
        self._labels = Labels()

    def feed(self, lines: Sequence[bytes]) -> None:
        """Look at the next lines."""
        batch = [take_apart(decode_example(line, self._kind)) for line in lines]
        fresh: list[str] = []
        texts = self._prompts.texts(batch)
        for line, parts, text in zip(lines, batch, texts, strict=True):
            row = len(self._prompt_of_row)
            number = self._prompt_numbers.setdefault(text_key(text), len(self._first_rows))
            self._prompt_of_row.append(number)
            if number == len(self._first_rows):
                self._first_rows.append(row)
                fresh.append(text)
            twin = self._row_of_context.setdefault(parts.context_key, row)
            if twin != row:
                self._twins.append((row, twin))
            self._note_value(row, line)
            self._answers.append(text_key(parts.answer))
            self._labels.see(row + 1, parts.answer)
        self._near.add(fresh)

    def sides(self, shares: Shares, seed: int) -> Sides:
        """The part of every row; raises `SplitImpossible` where a part would stay empty."""
        groups = self._groups()
        members = list(groups.members().values())
        is_stratified = self._kind is DatasetKind.CHAT and self._labels.counts is not None
        strata = [self._stratum(rows) if is_stratified else b"" for rows in members]
        parts = [""] * len(groups)
        for rows, part in allot(members, strata, shares, seed=seed):
            for row in rows:
                parts[row] = part
        _refuse_empty(shares, parts, len(members))
        return Sides(parts, len(members), is_stratified, len(self._near))

    def _note_value(self, row: int, line: bytes) -> None:
        if self._group_by is None:
            return
        value = _value_at(msgspec.json.decode(line), self._group_by)
        if value is not None:
            self._rows_by_value.setdefault(msgspec.json.encode(value), []).append(row)

    def _groups(self) -> Groups:
        if self._group_by is not None and not self._rows_by_value:
            raise _no_value()
        near = self._near.groups()
        groups = Groups(len(self._prompt_of_row))
        for row, number in enumerate(self._prompt_of_row):
            twin = near.of(number) if number < len(near) else number
            groups.join(row, self._first_rows[twin])
        for row, twin in self._twins:
            groups.join(row, twin)
        for rows in self._rows_by_value.values():
            for row in rows[1:]:
                groups.join(row, rows[0])
        return groups

    def _stratum(self, rows: Sequence[int]) -> bytes:
        """The label that most rows of a group carry."""
        [(label, _)] = Counter(self._answers[row] for row in rows).most_common(1)
        return label


def allot(
    groups: Sequence[list[int]], strata: Sequence[bytes], shares: Shares, *, seed: int
) -> list[tuple[list[int], str]]:
    """Each group with its part: within every stratum the parts get their shares by turns.

    Groups come in an order that the seed decides, stratum by stratum, and each goes to the part
    that is furthest behind its share, so that every stratum and the whole come out even.
    """
    order = list(range(len(groups)))
    seeded(seed).shuffle(order)
    order.sort(key=lambda number: strata[number])
    wanted = shares.by_part
    given = dict.fromkeys(wanted, 0)
    allotted: list[tuple[list[int], str]] = []
    seen = 0
    for number in order:
        seen += len(groups[number])
        part = max(wanted, key=lambda name: wanted[name] * seen - given[name])
        given[part] += len(groups[number])
        allotted.append((groups[number], part))
    return allotted


def _refuse_empty(shares: Shares, parts: Sequence[str], groups: int) -> None:
    there = Counter(parts)
    for part, share in shares.by_part.items():
        if not there[part]:
            raise SplitImpossible(
                f"The {part} part of {share:.0%} would be empty: {len(parts)} examples fall into "
                f"{groups} groups that must not be torn apart. Add examples that differ, or ask "
                "for larger shares."
            )


def _steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901)."""
    if not pointer.startswith("/"):
        detail = "`group_by` is a JSON pointer into the canonical example, such as /messages/0/name"
        raise Invalid(detail + ".", faults=[Fault("pointer_invalid", detail + ".", "/group_by")])
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def _value_at(example: Any, steps: Sequence[str]) -> Any:
    """What the pointer leads to; None where it leads nowhere."""
    found = example
    for step in steps:
        if isinstance(found, dict):
            found = found.get(step)  # pyright: ignore[reportUnknownMemberType]
        elif isinstance(found, list) and step.isascii() and step.isdecimal() and len(step) < 8:
            found = found[int(step)] if int(step) < len(found) else None
        else:
            return None
    return found


def _no_value() -> Invalid:
    detail = "No example has a value at `group_by`; GET /datasets/{ref}/examples shows their form."
    return Invalid(detail, faults=[Fault("pointer_leads_nowhere", detail, "/group_by")])
