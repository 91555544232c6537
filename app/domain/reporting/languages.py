"""Which languages a dataset is in, and the lines that fall out of them."""

from collections import Counter
from collections.abc import Sequence

from app.domain.reporting.findings import (
    MAX_LINES,
    Finding,
    LanguageMix,
    LanguageShare,
    Lines,
    Severity,
)
from app.domain.reporting.parts import Parts
from app.domain.reporting.tongues import are_kin, language_of

ALL_UNTIL = 10_000
"""Up to this line every example is looked at, then one in `STRIDE`."""

STRIDE = 5

ENOUGH = 20
"""Where no language has so many examples, nothing is said about the others."""

RARE = 0.05
RARE_COUNT = 10
"""A language with less than either is out of place, or too thin to be learned."""

TRANSLATION = 0.5
"""Where so large a share is answered in another language, that is the task."""

UNKNOWN = "unknown"
MAX_SHOWN = 20
MAX_NAMED = 5


class Languages:
    """Tells the language of each prompt and each completion."""

    def __init__(self) -> None:
        self._looked_at = self._passed_over = 0
        self._prompts: Counter[str] = Counter()
        self._completions: Counter[str] = Counter()
        self._lines: dict[str, Lines] = {}
        self._known = 0
        self._both_known = 0
        self._differ = Lines()

    def see(self, line: int, parts: Parts) -> None:
        """Look at one example."""
        if line > ALL_UNTIL and line % STRIDE:
            self._passed_over += 1
            return
        self._looked_at += 1
        prompt, completion = language_of(parts.question), language_of(parts.answer)
        self._prompts[prompt or UNKNOWN] += 1
        self._completions[completion or UNKNOWN] += 1
        told = {language for language in (prompt, completion) if language}
        self._known += bool(told)
        for language in told:
            self._lines.setdefault(language, Lines()).add(line)
        if prompt and completion:
            self._both_known += 1
            if prompt != completion and not are_kin(prompt, completion):
                self._differ.add(line)

    def mix(self) -> LanguageMix:
        """How many examples are in which language."""
        return LanguageMix(
            examined=self._looked_at,
            prompt=_shares(self._prompts),
            completion=_shares(self._completions),
        )

    def findings(self) -> list[Finding]:
        """What is mixed, what is rare, and what is answered in another language."""
        counts = {name: lines.count for name, lines in self._lines.items()}
        if max(counts.values(), default=0) < ENOUGH:
            return []
        least = max(RARE * self._known, RARE_COUNT)
        rare = [name for name, count in counts.items() if count < least]
        common = [name for name in counts if name not in rare]
        strange = [name for name in rare if not any(are_kin(name, other) for other in common)]
        return [*self._several(common), *self._rare(strange), *self._answered_otherwise()]

    def _several(self, common: Sequence[str]) -> list[Finding]:
        if len(common) < 2:
            return []
        ordered = sorted(common, key=lambda name: -self._lines[name].count)
        others = ordered[1:]
        return [
            Finding(
                code="languages_several",
                severity=Severity.INFO,
                count=len(common),
                message=f"The examples are in {len(common)} languages: {self._named(ordered)}"
                f"{self._sample()}.",
                advice="Fine if it is meant so: then each needs a few hundred examples and a share "
                "of the test set. Otherwise make one dataset for each. The lines show the smaller "
                "languages.",
                lines=_first_lines([self._lines[name] for name in others]),
            )
        ]

    def _rare(self, strange: Sequence[str]) -> list[Finding]:
        if not strange:
            return []
        ordered = sorted(strange, key=lambda name: -self._lines[name].count)
        lines = [self._lines[name] for name in ordered]
        count = sum(one.count for one in lines)
        return [
            Finding(
                code="languages_rare",
                severity=Severity.WARNING,
                count=count,
                message=f"{count:,} examples are in a language that few others are in: "
                f"{self._named(ordered)}{self._sample()}.",
                advice="Read these lines. Drop or translate them if they came in by accident; "
                "add a few hundred examples of the language if the model shall know it.",
                lines=_first_lines(lines),
            )
        ]

    def _answered_otherwise(self) -> list[Finding]:
        if self._differ.count >= TRANSLATION * self._both_known:
            return self._differ.finding(
                "languages_differ",
                Severity.INFO,
                f"{{}} prompts are answered in another language{self._sample()}.",
                advice="Right for a translation. Otherwise say in the system prompt which language "
                "to answer in, or the model guesses.",
            )
        return self._differ.finding(
            "languages_differ",
            Severity.WARNING,
            f"{{}} prompts are answered in another language, and most are not{self._sample()}.",
            advice="Answer these lines in the language of the prompt, or say in the prompt which "
            "language is wanted: the model learns to change it without a reason.",
        )

    def _sample(self) -> str:
        """What the numbers are of, where not every example was looked at."""
        return f", of {self._looked_at:,} that were looked at" if self._passed_over else ""

    def _named(self, languages: Sequence[str]) -> str:
        named = [f"{name} {self._lines[name].count:,}" for name in languages[:MAX_NAMED]]
        return ", ".join(named) + (" and others" if len(languages) > MAX_NAMED else "")


def _shares(counts: Counter[str]) -> list[LanguageShare]:
    total = sum(counts.values())
    return [
        LanguageShare(language, count, round(count / total, 4))
        for language, count in counts.most_common(MAX_SHOWN)
    ]


def _first_lines(several: Sequence[Lines]) -> list[int]:
    return sorted({line for lines in several for line in lines.first})[:MAX_LINES]
