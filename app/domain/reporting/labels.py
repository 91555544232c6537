"""Whether answers are labels, and how evenly they are spread."""

from collections import Counter
from collections.abc import Mapping

from app.domain.reporting.findings import MAX_LINES, Finding, LabelCount, Lines, Severity

MAX_LABEL_CHARACTERS = 60
MAX_LABELS = 500
EXAMPLES_PER_LABEL = 3
"""Labels come again: fewer examples than this for each, on average, are free text."""

MAX_SHOWN = 100
RARE = 10
LOPSIDED = 0.8


class Labels:
    """Counts answers for as long as they look like labels."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first_line: dict[str, int] = {}
        self._is_text = False

    def see(self, line: int, answer: str) -> None:
        """Count one answer."""
        if self._is_text:
            return
        label = answer.strip()
        self._counts[label] += 1
        self._first_line.setdefault(label, line)
        is_short = len(label) <= MAX_LABEL_CHARACTERS and "\n" not in label
        if not is_short or len(self._counts) > MAX_LABELS:
            self._is_text = True
            self._counts.clear()
            self._first_line.clear()

    @property
    def counts(self) -> Mapping[str, int] | None:
        """Examples by label; None where the answers are free text, or all the same."""
        total = sum(self._counts.values())
        if len(self._counts) < 2 or total < EXAMPLES_PER_LABEL * len(self._counts):
            return None
        return self._counts

    def table(self) -> list[LabelCount] | None:
        """The most frequent labels."""
        if self.counts is None:
            return None
        total = sum(self._counts.values())
        return [
            LabelCount(label, count, round(count / total, 4))
            for label, count in self._counts.most_common(MAX_SHOWN)
        ]

    def findings(self) -> list[Finding]:
        """What is wrong with the labels."""
        if self.counts is None:
            return []
        return [*self._lopsided(), *self._rare(), *self._spelled_twice()]

    def _lopsided(self) -> list[Finding]:
        [(label, count)] = self._counts.most_common(1)
        share = count / sum(self._counts.values())
        if share < LOPSIDED:
            return []
        return [
            Finding(
                code="labels_unbalanced",
                severity=Severity.WARNING,
                count=count,
                message=f"{share:.0%} of the examples carry the label {label!r}.",
                advice="Add examples of the other labels, or thin this one out: as it is, a model "
                "that always says it looks good.",
                lines=[self._first_line[label]],
            )
        ]

    def _rare(self) -> list[Finding]:
        rare = Lines()
        for label, count in self._counts.items():
            if count < RARE:
                rare.add(self._first_line[label])
        return rare.finding(
            "labels_rare",
            Severity.WARNING,
            f"Labels with fewer than {RARE} examples: {{}}.",
            advice="Write more examples of these labels, or merge them with a neighbour. The lines "
            "show the first example of each.",
        )

    def _spelled_twice(self) -> list[Finding]:
        spellings: dict[str, list[str]] = {}
        for label in self._counts:
            spellings.setdefault(_plain(label), []).append(label)
        twins = [names for names in spellings.values() if len(names) > 1]
        if not twins:
            return []
        return [
            Finding(
                code="labels_spelled_twice",
                severity=Severity.ERROR,
                count=len(twins),
                message="Labels that differ in case, spaces or punctuation only, such as "
                + " and ".join(repr(name) for name in twins[0][:3])
                + ".",
                advice="Choose one spelling for each label and use it everywhere.",
                lines=[self._first_line[name] for names in twins for name in names][:MAX_LINES],
            )
        ]


def _plain(label: str) -> str:
    """The label without what two spellings differ in; one of signs alone stays as it is."""
    return "".join(letter for letter in label.casefold() if letter.isalnum()) or label
