"""Looking through a whole dataset once, batch by batch, and summing up at the end."""

from collections import Counter
from collections.abc import Sequence

from app.domain.datasets import DatasetKind
from app.domain.examples import decode_example
from app.domain.reporting.completions import Completions
from app.domain.reporting.disclosures import Disclosures
from app.domain.reporting.findings import (
    MAX_LINES,
    Finding,
    Level,
    Quantity,
    Report,
    Severity,
    Tokens,
    shown_groups,
)
from app.domain.reporting.labels import Labels
from app.domain.reporting.languages import Languages
from app.domain.reporting.lengths import LengthCount, histogram
from app.domain.reporting.markup import Markup
from app.domain.reporting.near_duplicates import MAX_COMPARED, NearDuplicates
from app.domain.reporting.outliers import Outliers
from app.domain.reporting.parts import Parts, Prompts, take_apart, text_key
from app.domain.reporting.quantity import judge_quantity
from app.domain.reporting.repeats import Repeats
from app.domain.tokens import ESTIMATE, estimate_example

_ORDER = [Severity.ERROR, Severity.WARNING, Severity.INFO]


class Analysis:
    """Give the canonical lines in order to `feed`, then call `finish`; `so_far` at any time.

    Memory grows by about a kilobyte for each distinct prompt that is compared, and by a third of
    that for each further example; no text is kept.
    """

    def __init__(self, kind: DatasetKind) -> None:
        self.examined = 0
        self._kind = kind
        self._repeats = Repeats()
        self._near = NearDuplicates()
        self._prompts = Prompts()
        self._seen: set[bytes] = set()
        self._compared_lines: list[int] = []
        self._labels = Labels()
        self._completions = Completions()
        self._prompt_lengths, self._completion_lengths = LengthCount(), LengthCount()
        self._prompt_outliers, self._completion_outliers = (
            Outliers("prompt"),
            Outliers("completion"),
        )
        self._tokens: Counter[int] = Counter()
        self._languages = Languages()
        self._markup = Markup()
        self._disclosures = Disclosures()

    def feed(self, lines: Sequence[bytes]) -> None:
        """Look at the next lines."""
        examples = [decode_example(raw, self._kind) for raw in lines]
        self._tokens.update(map(estimate_example, examples))
        batch = [take_apart(example) for example in examples]
        fresh: list[str] = []
        for parts, text in zip(batch, self._prompts.texts(batch), strict=True):
            self.examined += 1
            self._see(self.examined, parts)
            if self._is_fresh(text):
                fresh.append(text)
                self._compared_lines.append(self.examined)
        self._near.add(fresh)

    def so_far(self) -> Report:
        """What was found in the lines up to now; near duplicates are looked for at the end."""
        return self._report([])

    def finish(self) -> Report:
        """All that was found."""
        return self._report(self._near_groups())

    def _report(self, groups: list[list[int]]) -> Report:
        near = sum(len(group) - 1 for group in groups)
        quantity = judge_quantity(self.examined - self._repeats.duplicates - near)
        findings = self._findings(groups)
        return Report(
            quantity=quantity,
            next=next_step(quantity, findings),
            examples=self.examined,
            compared=len(self._near),
            exact_duplicates=self._repeats.duplicates,
            near_duplicates=near,
            labels=self._labels.table(),
            prompt=self._prompt_lengths.lengths(),
            completion=self._completion_lengths.lengths(),
            tokens=self._token_figures(),
            languages=self._languages.mix(),
            findings=findings,
        )

    def _see(self, line: int, parts: Parts) -> None:
        self._repeats.see(line, parts)
        self._prompt_lengths.see(parts.prompt)
        self._completion_lengths.see(parts.answer)
        self._prompt_outliers.see(line, parts.prompt)
        self._completion_outliers.see(line, parts.answer)
        self._languages.see(line, parts)
        self._markup.see(line, parts.texts)
        self._disclosures.see(line, parts.texts)
        if not parts.calls_tools:
            self._completions.see(line, parts.answer)
        if self._kind is DatasetKind.CHAT:
            self._labels.see(line, parts.answer)

    def _token_figures(self) -> Tokens:
        figures = histogram(self._tokens)
        return Tokens(total=figures.total, per_example=figures, measure=ESTIMATE)

    def _is_fresh(self, text: str) -> bool:
        """Whether the prompt is a new one, and there is room to compare it."""
        known = len(self._seen)
        if known < MAX_COMPARED:
            self._seen.add(text_key(text))
        return len(self._seen) > known

    def _near_groups(self) -> list[list[int]]:
        members = self._near.groups().members().values()
        return [
            [self._compared_lines[place] for place in group] for group in members if len(group) > 1
        ]

    def _findings(self, groups: list[list[int]]) -> list[Finding]:
        are_labels = self._labels.counts is not None
        found = [
            *self._disclosures.findings(),
            *self._markup.findings(),
            *self._repeats.findings(are_labels=are_labels),
            *self._labels.findings(),
            *self._completions.findings(are_labels=are_labels),
            *self._languages.findings(),
            *self._prompt_outliers.findings(),
            *([] if are_labels else self._completion_outliers.findings()),
            *_near_duplicates(groups),
        ]
        return sorted(found, key=lambda finding: _ORDER.index(finding.severity))


def next_step(quantity: Quantity, findings: Sequence[Finding]) -> str:
    """The one thing to do first."""
    for finding in findings:
        if finding.severity is not Severity.INFO:
            return finding.advice
    if quantity.level is Level.TOO_FEW:
        return quantity.message
    return (
        "Nothing stands in the way. Read twenty examples at random with your own eyes, split off "
        "a test set, and train."
    )


def _near_duplicates(groups: list[list[int]]) -> list[Finding]:
    if not groups:
        return []
    lines = sorted(line for group in groups for line in group[1:])
    return [
        Finding(
            code="duplicates_near",
            severity=Severity.WARNING,
            count=len(lines),
            message=f"{len(lines):,} prompts are nearly the same as an earlier one.",
            advice="Keep the best example of each group and write new ones that differ. When you "
            "split the dataset, use POST /datasets/{ref}/split: it keeps a group on one side.",
            lines=lines[:MAX_LINES],
            groups=shown_groups(groups),
        )
    ]
