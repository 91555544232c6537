"""What a report says: findings with their lines, figures, and the next best thing to do."""

from enum import StrEnum

import msgspec

from app.domain.tokens import TokenMeasure

MAX_LINES = 100
"""Lines that a finding names; the others are counted."""

MAX_GROUPS = 20
MAX_GROUP_LINES = 10


class Severity(StrEnum):
    """How much a finding matters: mend an error before training, think about a warning."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing that was found; `groups` holds lines that belong together."""

    code: str
    severity: Severity
    count: int
    message: str
    advice: str
    lines: list[int]
    groups: list[list[int]] = []


class Level(StrEnum):
    """Whether there are enough examples."""

    TOO_FEW = "too_few"
    USABLE = "usable"
    ROBUST = "robust"


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on the number of examples that differ from each other."""

    level: Level
    examples: int
    message: str


class Bar(msgspec.Struct, frozen=True):
    """How many lie between `low` and `high`, both included."""

    low: int
    high: int
    count: int


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How long texts are, in one unit."""

    minimum: int
    median: int
    p95: int
    maximum: int
    total: int
    bars: list[Bar]


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """The lengths of one side; `Tokens` says how good the estimate of its tokens is."""

    characters: Histogram
    words: Histogram
    estimated_tokens: Histogram


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens the examples are, message frames and tools included."""

    total: int
    per_example: Histogram
    measure: TokenMeasure


class LanguageShare(msgspec.Struct, frozen=True):
    """Examples in one language, by its ISO 639 code or `unknown`, and their share."""

    language: str
    count: int
    share: float


class LanguageMix(msgspec.Struct, frozen=True, kw_only=True):
    """The languages of both sides, the most frequent twenty."""

    examined: int
    """Examples that were looked at: the first ten thousand, then one in five."""

    prompt: list[LanguageShare]
    completion: list[LanguageShare]


class LabelCount(msgspec.Struct, frozen=True):
    """One label with the examples that carry it and their share of all."""

    label: str
    count: int
    share: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found in one dataset version."""

    quantity: Quantity
    next: str
    examples: int
    compared: int
    """Distinct prompts that were compared for near duplicates."""
    exact_duplicates: int
    near_duplicates: int
    labels: list[LabelCount] | None
    """The most frequent hundred, where the completions look like labels."""
    prompt: Lengths
    completion: Lengths
    tokens: Tokens
    languages: LanguageMix
    findings: list[Finding]


class Lines:
    """Counts lines, and remembers the first hundred."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[int] = []

    def add(self, line: int) -> None:
        """Note one more line."""
        self.count += 1
        if len(self.first) < MAX_LINES:
            self.first.append(line)

    def finding(self, code: str, severity: Severity, message: str, *, advice: str) -> list[Finding]:
        """The finding about these lines; none where there are none. `{}` becomes the count."""
        if not self.count:
            return []
        return [
            Finding(
                code=code,
                severity=severity,
                count=self.count,
                message=message.replace("{}", f"{self.count:,}"),
                advice=advice,
                lines=self.first,
            )
        ]


def shown_groups(groups: list[list[int]]) -> list[list[int]]:
    """As much of the groups as a report shows."""
    return [group[:MAX_GROUP_LINES] for group in groups[:MAX_GROUPS]]
