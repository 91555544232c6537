"""Answers as labels: accuracy, precision, recall and F1 for each, and what was taken for what.

Counted over the labels that are expected, as scikit-learn does with `labels=`: what a model makes
up besides counts against recall, and is told as `other`, but is no class of its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

MAX_CONFUSED = 50
"""Labels of the confusion table, the most frequent first; its reader is a person."""

Pairs = Mapping[tuple[str, str], int]
"""How often (expected, said) came."""


class LabelReport(msgspec.Struct, frozen=True, kw_only=True):
    """How well one label is told; it was expected `support` times and `said` so often."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    said: int


class Classification(msgspec.Struct, frozen=True, kw_only=True):
    """How well a candidate tells labels apart.

    `confusion` has a row for each expected label of `labels` and a column for each that was said,
    in the same order, and a last column for all else.
    """

    candidate: str
    accuracy: float
    macro_f1: float
    micro_f1: float
    by_label: list[LabelReport]
    labels: list[str]
    confusion: list[list[int]]


def classification(candidate: str, pairs: Pairs) -> Classification:
    """The whole report from how often each (expected, said) came, at least once in all."""
    by_label = _reports(pairs)
    labels = [one.label for one in sorted(by_label, key=lambda one: -one.support)][:MAX_CONFUSED]
    return Classification(
        candidate=candidate,
        accuracy=accuracy(pairs),
        macro_f1=macro_f1(pairs),
        micro_f1=micro_f1(pairs),
        by_label=by_label,
        labels=labels,
        confusion=[_confused(pairs, label, labels) for label in labels],
    )


def accuracy(pairs: Pairs) -> float:
    """The share of answers that are the label expected."""
    right = sum(count for (expected, said), count in pairs.items() if expected == said)
    return right / sum(pairs.values())


def macro_f1(pairs: Pairs) -> float:
    """The mean of the expected labels' F1, each as heavy as the others."""
    reports = _reports(pairs)
    return sum(one.f1 for one in reports) / len(reports)


def micro_f1(pairs: Pairs) -> float:
    """F1 over all answers at once; what is no label counts against recall only."""
    known = {expected for expected, _ in pairs}
    right = sum(count for (expected, said), count in pairs.items() if expected == said)
    labelled = sum(count for (_, said), count in pairs.items() if said in known)
    return 2 * right / (labelled + sum(pairs.values()))


def _reports(pairs: Pairs) -> list[LabelReport]:
    support: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for (expected, answer), count in pairs.items():
        support[expected] += count
        said[answer] += count
    return [
        _report(label, pairs.get((label, label), 0), support[label], said[label])
        for label in sorted(support)
    ]


def _report(label: str, right: int, support: int, said: int) -> LabelReport:
    return LabelReport(
        label=label,
        precision=right / said if said else 0.0,
        recall=right / support,
        f1=2 * right / (support + said),
        support=support,
        said=said,
    )


def _confused(pairs: Pairs, label: str, labels: Sequence[str]) -> list[int]:
    said = [pairs.get((label, other), 0) for other in labels]
    total = sum(count for (expected, _), count in pairs.items() if expected == label)
    return [*said, total - sum(said)]
