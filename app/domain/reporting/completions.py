"""Answers that teach nothing or teach the wrong thing: placeholders, torn ends, boilerplate."""

import re
from collections import Counter

import msgspec

from app.domain.reporting.findings import Finding, Lines, Severity

PLACEHOLDERS = frozenset(
    [
        *("", "-", "--", ".", "..", "...", "\u2026", "?", '""'),
        *("n/a", "na", "nan", "nil", "null", "none", "undefined", "empty"),
        *("todo", "tbd", "fixme", "test", "xxx", "placeholder", "lorem ipsum"),
    ]
)

LONG = 200
"""From so many characters on an answer without a full stop looks cut off."""

STYLE = 0.2
"""Where so large a share of the long answers ends openly, it is how they are written."""

SAME_OPENING = 0.3
OPENING_WORDS = 5
ENOUGH_TO_COMPARE = 50
MAX_OPENINGS = 20_000

_BOILERPLATE = re.compile(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|\bi(?:'|\u2019)?m (?:just )?an ai\b"
    r"|\bi(?:'|\u2019)m sorry,? but (?:i can(?:'|\u2019)?t|i cannot|as an)"
    r"|\bi hope this (?:helps|email finds you)\b"
    r"|\bmy (?:knowledge|training) cut-?off\b"
    r"|\bfeel free to (?:ask|reach out)\b"
    r"|\blorem ipsum\b"
    r"|\[(?:insert|your|name of|company)\b[^\]\n]{0,40}\]"
    r"|\{\{[^{}\n]{1,40}\}\}"
    r"|<(?:insert|your)[ _-][^>\n]{1,40}>",
    re.IGNORECASE,
)

_BOILERPLATE_HINTS = (
    *("an ai", "an artificial", "language model", "m sorry", "i hope", "cutoff", "cut-off"),
    *("feel free", "lorem", "[", "{{", "<"),
)
"""One of these is in every text that the pattern matches; looking for them is much cheaper."""

_OPEN_END = re.compile(r"[\w,;:(\[{\-\u2013]")
_LIST_ITEM = re.compile(r"\s*(?:[-*\u2022#>|]|\d+[.)])")


class Completions:
    """Looks at each answer by itself, and at how the answers begin."""

    def __init__(self) -> None:
        self._placeholders = Lines()
        self._torn = Lines()
        self._broken_json = Lines()
        self._open_ends = Lines()
        self._boilerplate = Lines()
        self._seen = 0
        self._long = 0
        self._openings: Counter[str] = Counter()
        self._first_line: dict[str, int] = {}

    def see(self, line: int, answer: str) -> None:
        """Look at one answer in text."""
        self._seen += 1
        text = answer.strip()
        if text.casefold() in PLACEHOLDERS:
            self._placeholders.add(line)
            return
        self._see_end(line, text)
        if has_boilerplate(text):
            self._boilerplate.add(line)
        self._see_opening(line, text)

    def findings(self, *, are_labels: bool) -> list[Finding]:
        """What was found; labels have no style to speak of, and `none` may be one."""
        if are_labels:
            return self._json()
        return [
            *self._empty(),
            *self._cut_off(),
            *self._json(),
            *self._phrases(),
            *self._same_opening(),
        ]

    def _see_end(self, line: int, text: str) -> None:
        if text.count("```") % 2 or text.endswith(("...", "\u2026")):
            self._torn.add(line)
        elif text[0] in "{[" and _is_torn_json(text):
            self._broken_json.add(line)
        elif len(text) >= LONG:
            self._long += 1
            if _OPEN_END.match(text[-1]) and not _LIST_ITEM.match(text.rpartition("\n")[2]):
                self._open_ends.add(line)

    def _see_opening(self, line: int, text: str) -> None:
        words = text[:200].split()
        if len(words) <= OPENING_WORDS:
            return
        opening = " ".join(words[:OPENING_WORDS])
        if opening in self._openings or len(self._openings) < MAX_OPENINGS:
            self._openings[opening] += 1
            self._first_line.setdefault(opening, line)

    def _empty(self) -> list[Finding]:
        return self._placeholders.finding(
            "completions_empty",
            Severity.ERROR,
            "{} completions are empty or a placeholder such as `N/A`.",
            advice="Write the answer that you want to see, or drop the line. If the right answer "
            "is to say nothing, give it words of its own and explain them in the prompt.",
        )

    def _cut_off(self) -> list[Finding]:
        torn = self._torn
        if self._open_ends.count <= STYLE * self._long or self._open_ends.count == 1:
            torn = _together(torn, self._open_ends)
        return torn.finding(
            "completions_truncated",
            Severity.WARNING,
            "{} completions look cut off.",
            advice="Compare these lines with their source: a limit on tokens or on a cell may have "
            "shortened them. A model that learns from them stops in mid-sentence.",
        )

    def _json(self) -> list[Finding]:
        return self._broken_json.finding(
            "completions_broken_json",
            Severity.ERROR,
            "{} completions begin as JSON but cannot be parsed.",
            advice="Write completions with a JSON library, not by hand, and parse each before you "
            "upload.",
        )

    def _phrases(self) -> list[Finding]:
        return self._boilerplate.finding(
            "completions_boilerplate",
            Severity.WARNING,
            "{} completions carry boilerplate or an unfilled placeholder.",
            advice="Take out phrases of other assistants, and fill in what stands in brackets.",
        )

    def _same_opening(self) -> list[Finding]:
        if self._seen < ENOUGH_TO_COMPARE or not self._openings:
            return []
        [(opening, count)] = self._openings.most_common(1)
        if count < SAME_OPENING * self._seen:
            return []
        return [
            Finding(
                code="completions_same_opening",
                severity=Severity.INFO,
                count=count,
                message=f"{count / self._seen:.0%} of the completions begin with the same words.",
                advice="Fine if it is meant so. Otherwise vary the openings, or leave them out: "
                "the model will begin nearly every answer in this way.",
                lines=[self._first_line[opening]],
            )
        ]


def has_boilerplate(text: str) -> bool:
    """A phrase that assistants are known for, or a gap that nobody filled in."""
    lowered = text.lower()
    return any(hint in lowered for hint in _BOILERPLATE_HINTS) and bool(_BOILERPLATE.search(text))


def _together(one: Lines, other: Lines) -> Lines:
    both = Lines()
    for line in sorted([*one.first, *other.first]):
        both.add(line)
    both.count = one.count + other.count
    return both


def _is_torn_json(text: str) -> bool:
    """Whether a text that begins like JSON was meant as such and is not."""
    if not re.match(r"\{\s*(?:\"|\})|\[\s*[\[{\"\d\]]", text):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return not re.match(r"\[[^\[\]{}\"]*\]", text)
    return False
