"""What differs between two versions: examples that were added, removed or changed."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from app.domain.curation.matching import ALONE, gaps, match
from app.domain.datasets import DatasetKind, DiffCounts
from app.domain.examples import decode_example
from app.domain.reporting.parts import take_apart


class ChangeKind(StrEnum):
    """What became of an example."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(msgspec.Struct, frozen=True, gc=False):
    """One difference; rows count from 0, and the one that is not there is None."""

    before: int | None
    after: int | None

    @property
    def kind(self) -> ChangeKind:
        if self.before is None:
            return ChangeKind.ADDED
        return ChangeKind.REMOVED if self.after is None else ChangeKind.CHANGED


class Diff(msgspec.Struct, frozen=True):
    """All differences in the order of the lines, and how many lines are the same."""

    changes: list[Change]
    counts: DiffCounts
    unchanged: int


class Side:
    """One of two versions, by hashes: every line's content, and what each lone line says."""

    def __init__(self, kind: DatasetKind, numbers: dict[bytes, int]) -> None:
        self.contents = array("q")
        """A number for each line, the same for the same content on both sides."""

        self.alone: set[int] = set()
        self.prompts: dict[int, bytes] = {}
        self.answers: dict[int, bytes] = {}
        self._kind = kind
        self._numbers = numbers
        self._reread = 0

    def read(self, lines: Sequence[bytes]) -> None:
        """The next canonical lines."""
        for line in lines:
            key = hashlib.blake2b(line, digest_size=16).digest()
            self.contents.append(self._numbers.setdefault(key, len(self._numbers)))

    def reread(self, lines: Sequence[bytes]) -> None:
        """The same lines once more: now those without a twin are looked into."""
        for row, line in enumerate(lines, start=self._reread):
            if row in self.alone:
                self.prompts[row], self.answers[row] = _said(line, self._kind)
        self._reread += len(lines)


class Comparison:
    """Let both sides `read` their version, call `match`, let both `reread`, then call `diff`.

    Equal lines are matched first. Between them a line that was removed and one that was added are
    one change if they ask the same, or else if they answer the same.
    """

    def __init__(self, kind: DatasetKind) -> None:
        numbers: dict[bytes, int] = {}
        self.before, self.after = Side(kind, numbers), Side(kind, numbers)
        self._twins = array("q")

    def match(self) -> bool:
        """Find the equal lines; whether others are left."""
        self._twins = match(self.before.contents, self.after.contents)
        self.after.alone = {row for row, twin in enumerate(self._twins) if twin == ALONE}
        self.before.alone = set(range(len(self.before.contents))).difference(self._twins)
        return bool(self.before.alone or self.after.alone)

    def diff(self) -> Diff:
        """What differs."""
        changes = [
            change
            for before, after in gaps(self._twins, len(self.before.contents))
            for change in self._between(before, after, by_prompt=True)
        ]
        kinds = Counter(change.kind for change in changes)
        counts = DiffCounts(
            added=kinds[ChangeKind.ADDED],
            removed=kinds[ChangeKind.REMOVED],
            changed=kinds[ChangeKind.CHANGED],
        )
        touched = counts.added + counts.changed
        return Diff(changes, counts, len(self.after.contents) - touched)

    def _between(self, before: range, after: range, *, by_prompt: bool) -> Iterator[Change]:
        """The changes of two runs of lines: matched by what they ask, then by what they answer."""
        old, new = (
            (self.before.prompts, self.after.prompts)
            if by_prompt
            else (self.before.answers, self.after.answers)
        )
        twins = match([old[row] for row in before], [new[row] for row in after])
        next_before, next_after = before.start, after.start
        for place, twin in enumerate(twins):
            if twin == ALONE:
                continue
            one, other = before[twin], after[place]
            yield from self._rest(range(next_before, one), range(next_after, other), by_prompt)
            if self.before.contents[one] != self.after.contents[other]:
                yield Change(one, other)
            next_before, next_after = one + 1, other + 1
        yield from self._rest(
            range(next_before, before.stop), range(next_after, after.stop), by_prompt
        )

    def _rest(self, before: range, after: range, by_prompt: bool) -> Iterator[Change]:
        if by_prompt and before and after:
            yield from self._between(before, after, by_prompt=False)
            return
        yield from (Change(row, None) for row in before)
        yield from (Change(None, row) for row in after)


def difference(before: bytes, after: bytes, kind: DatasetKind) -> DiffCounts:
    """How a line differs from the one in whose place it stands."""
    if before == after:
        return DiffCounts()
    (asked, answered), (asks, answers) = _said(before, kind), _said(after, kind)
    if asked == asks or answered == answers:
        return DiffCounts(changed=1)
    return DiffCounts(added=1, removed=1)


def _said(line: bytes, kind: DatasetKind) -> tuple[bytes, bytes]:
    """Hashes of what an example asks and of what it answers."""
    parts = take_apart(decode_example(line, kind))
    return parts.context_key, parts.answer_key + (parts.rejected_key or b"")
