"""Which lines of a version repeat others: word by word, or nearly and with nearly that answer."""

import hashlib
from collections.abc import Hashable, Sequence

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.examples import Example, decode_example
from app.domain.reporting.grouping import Groups
from app.domain.reporting.near_duplicates import NearDuplicates
from app.domain.reporting.parts import Parts, Prompts, take_apart, text_key


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Lines from 1 in groups; the first line of a group of repeats is kept."""

    exact: list[list[int]]
    near: list[list[int]]
    contradictions: list[list[int]]
    """Kept: the same or nearly the same prompt with different completions."""

    compared: int
    """Distinct prompts that were compared for near duplicates."""

    @property
    def dropped(self) -> set[int]:
        """Every line that repeats an earlier one."""
        return {line for group in (*self.exact, *self.near) for line in group[1:]}


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line that repeats no earlier one word by word, by its hashes."""

    line: int
    prompt: int
    context: bytes
    setting: bytes
    """What the system says and which tools there are."""

    answer: bytes
    is_free: bool
    """Whether the answer is a text that another one may be nearly the same as."""


class Numbered:
    """Texts by number, the same for the same words, compared for near duplicates."""

    def __init__(self, similar: float) -> None:
        self._numbers: dict[bytes, int] = {}
        self._near = NearDuplicates(similar)
        self._groups = Groups()

    @property
    def compared(self) -> int:
        return len(self._near)

    def add(self, texts: Sequence[str]) -> list[int]:
        """The texts' numbers."""
        known = len(self._numbers)
        keys = [text_key(text) for text in texts]
        numbers = [self._numbers.setdefault(key, len(self._numbers)) for key in keys]
        fresh = dict(zip(numbers, texts, strict=True))
        self._near.add([text for number, text in fresh.items() if number >= known])
        return numbers

    def group(self) -> None:
        """Find near duplicates among all that were added."""
        self._groups = self._near.groups()

    def of(self, number: int) -> int:
        """A text's group: the smallest number that is nearly the same."""
        return self._groups.of(number) if number < len(self._groups) else number


class Duplicates:
    """Give the canonical lines in order to `feed`, once more to `reread`, then call `verdict`.

    With a threshold lines are near duplicates when their prompts are nearly the same, their system
    prompts and tools the same, and their completions nearly the same too; completions that call
    tools, and the pairs of preferences, have to be the same. No text is kept.
    """

    def __init__(self, kind: DatasetKind, *, threshold: float | None) -> None:
        self._kind = kind
        self._prompts = Prompts()
        self._asked = None if threshold is None else Numbered(threshold)
        self._answered = None if threshold is None else Numbered(threshold)
        self._line = self._reread = 0
        self._first: dict[bytes, int] = {}
        self._repeats: dict[int, list[int]] = {}
        self._entries: list[Entry] = []
        self._clusters: list[list[Entry]] = []
        self._unsure: dict[int, int] = {}
        """Lines whose answers have to be compared, with the numbers of their answers."""

    def feed(self, lines: Sequence[bytes]) -> None:
        """Look at the next lines."""
        examples = [decode_example(line, self._kind) for line in lines]
        batch = [take_apart(example) for example in examples]
        texts = self._prompts.texts(batch)
        numbers = [0] * len(batch) if self._asked is None else self._asked.add(texts)
        for example, parts, number in zip(examples, batch, numbers, strict=True):
            self._line += 1
            answer = parts.answer_key + (parts.rejected_key or b"")
            first = self._first.setdefault(parts.context_key + answer, self._line)
            if first == self._line:
                self._entries.append(_entry(first, number, example, parts))
            else:
                self._repeats.setdefault(first, [first]).append(self._line)

    def cluster(self) -> bool:
        """Bring together what has the same prompt or nearly; whether `reread` has to follow."""
        groups, first = Groups(len(self._entries)), dict[Hashable, int]()
        for place, entry in enumerate(self._entries):
            groups.join(place, first.setdefault(entry.context, place))
        if self._asked is not None:
            self._asked.group()
            for place, entry in enumerate(self._entries):
                prompt = self._asked.of(entry.prompt), entry.setting
                groups.join(place, first.setdefault(prompt, place))
        self._clusters = [
            [self._entries[place] for place in places]
            for places in groups.members().values()
            if len(places) > 1
        ]
        if self._answered is not None:
            entries = [entry for cluster in self._clusters for entry in cluster]
            self._unsure = {entry.line: -1 for entry in entries if entry.is_free}
        return bool(self._unsure)

    def reread(self, lines: Sequence[bytes]) -> None:
        """Compare the answers of those lines whose prompts have something in common."""
        assert self._answered is not None
        wanted = {
            line: raw
            for line, raw in enumerate(lines, start=self._reread + 1)
            if line in self._unsure
        }
        answers = [take_apart(decode_example(raw, self._kind)).answer for raw in wanted.values()]
        numbers = self._answered.add(answers)
        self._unsure.update(zip(wanted, numbers, strict=True))
        self._reread += len(lines)

    def verdict(self) -> Verdict:
        """What repeats what."""
        if self._answered is not None:
            self._answered.group()
        near: list[list[int]] = []
        contradictions: list[list[int]] = []
        for cluster in self._clusters:
            by_answer: dict[Hashable, list[int]] = {}
            for entry in cluster:
                by_answer.setdefault(self._answer_of(entry), []).append(entry.line)
            near += [lines for lines in by_answer.values() if len(lines) > 1]
            if len(by_answer) > 1 and self._kind is DatasetKind.CHAT:
                contradictions.append([lines[0] for lines in by_answer.values()])
        return Verdict(
            exact=list(self._repeats.values()),
            near=near,
            contradictions=contradictions,
            compared=0 if self._asked is None else self._asked.compared,
        )

    def _answer_of(self, entry: Entry) -> Hashable:
        number = self._unsure.get(entry.line)
        if number is None or self._answered is None:
            return entry.answer
        return self._answered.of(number)


def _entry(line: int, prompt: int, example: Example, parts: Parts) -> Entry:
    tools = msgspec.json.encode(example.tools)
    return Entry(
        line=line,
        prompt=prompt,
        context=parts.context_key,
        setting=text_key(parts.system) + hashlib.sha256(tools).digest(),
        answer=parts.answer_key + (parts.rejected_key or b""),
        is_free=not parts.calls_tools and parts.rejected_key is None,
    )
