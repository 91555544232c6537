"""Slices of an evaluation: examples of one label, one length of prompt, one tag."""

from collections import Counter
from collections.abc import Mapping, Sequence

from app.domain.questions import Question
from app.domain.reporting.labels import Labels

MAX_LABELS = 10
"""Slices by label, the most frequent first."""

LENGTHS = {50: "up_to_50", 200: "51_to_200", 1000: "201_to_1000"}
LONGEST = "over_1000"
"""Words of the whole prompt."""


def labels_of(questions: Sequence[Question]) -> dict[int, str] | None:
    """The label of each row; None where the expected answers are free text or calls."""
    labels = Labels()
    for question in questions:
        if question.text is None:
            return None
        labels.see(question.row, question.text)
    if labels.counts is None:
        return None
    return {question.row: (question.text or "").strip() for question in questions}


def slices(questions: Sequence[Question], tags: Mapping[str, Sequence[int]]) -> dict[str, set[int]]:
    """The rows of each slice: `label:...`, `length:...` and `tag:...`, none of them empty."""
    rows = {question.row for question in questions}
    found = {**_by_label(questions), **_by_length(questions)}
    for tag, lines in tags.items():
        found[f"tag:{tag}"] = rows.intersection(lines)
    return {name: members for name, members in found.items() if members}


def _by_label(questions: Sequence[Question]) -> dict[str, set[int]]:
    labels = labels_of(questions) or {}
    found: dict[str, set[int]] = {}
    for label, _ in Counter(labels.values()).most_common(MAX_LABELS):
        found[f"label:{label}"] = {row for row, other in labels.items() if other == label}
    return found


def _by_length(questions: Sequence[Question]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {f"length:{name}": set() for name in (*LENGTHS.values(), LONGEST)}
    for question in questions:
        found[f"length:{_length(question)}"].add(question.row)
    return found


def _length(question: Question) -> str:
    words = sum(
        len(message.content.split())
        for message in question.messages
        if isinstance(message.content, str)
    )
    return next((name for most, name in LENGTHS.items() if words <= most), LONGEST)
