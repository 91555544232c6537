"""The metrics by name: what each makes of one answer, and which way is better."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from app.domain.errors import CandidateInvalid, Fault
from app.domain.evaluations import JUDGE, Answer
from app.domain.measures.classes import accuracy, macro_f1, micro_f1
from app.domain.measures.ngrams import bleu, chrf
from app.domain.measures.structure import is_structured, json_fields, json_valid, tool_calls
from app.domain.measures.words import edit_similarity, exact_match, rouge_l, token_f1
from app.domain.questions import Question

Measure = Callable[[Answer, Question], float | None]

MILLISECOND = 3
"""Digits of seconds that are worth telling."""


class Metric(msgspec.Struct, frozen=True):
    """What one answer scores; None where the metric does not fit the example.

    Scores of quality lie between 0 and 1; what cannot be answered scores 0 there. What an answer
    takes (time, tokens, money) is told for answers only, and less is better.
    """

    measure: Measure
    is_less_better: bool = False


def _text(compare: Callable[[str, str], float]) -> Metric:
    def measure(answer: Answer, question: Question) -> float | None:
        if question.text is None:
            return None
        return 0.0 if answer.refusal else compare(answer.output, question.text)

    return Metric(measure)


def _json_fields(answer: Answer, question: Question) -> float | None:
    if question.text is None or not is_structured(question.text):
        return None
    return 0.0 if answer.refusal else json_fields(answer.output, question.text)


def _tool_calls(answer: Answer, question: Question) -> float | None:
    if not question.calls:
        return None
    return 0.0 if answer.refusal else tool_calls(answer.tool_calls or [], question.calls)


def _taken(read: Callable[[Answer], float | None]) -> Metric:
    return Metric(lambda answer, _: None if answer.refusal else read(answer), is_less_better=True)


_right_label = _text(exact_match)

METRICS: Mapping[str, Metric] = {
    "exact_match": _text(exact_match),
    "f1": _text(token_f1),
    "accuracy": _right_label,
    "macro_f1": _right_label,
    "micro_f1": _right_label,
    "rouge_l": _text(rouge_l),
    "bleu": _text(bleu),
    "chrf": _text(chrf),
    "edit_similarity": _text(edit_similarity),
    "json_valid": _text(lambda output, _: json_valid(output)),
    "json_fields": Metric(_json_fields),
    "tool_calls": Metric(_tool_calls),
    "latency": _taken(lambda answer: answer.seconds),
    "input_tokens": _taken(lambda answer: answer.prompt_tokens),
    "output_tokens": _taken(lambda answer: answer.completion_tokens),
    "cost": _taken(lambda answer: answer.cost_usd),
}
"""All but the judge's, which is not computed but asked for."""

OF_LABELS: Mapping[str, Callable[[Counter[tuple[str, str]]], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "micro_f1": micro_f1,
}
"""Metrics of a whole set of labels, from how often each (expected, said) came.

Of one answer they say whether its label is right.
"""


_NO_ANSWER = Answer(row=0, candidate="", output="", scores={}, seconds=0.0, refusal="None.")


def fits(metric: str, question: Question) -> bool:
    """Whether the metric can say anything of an answer to the question."""
    if metric == JUDGE or METRICS[metric].is_less_better:
        return True
    return METRICS[metric].measure(_NO_ANSWER, question) is not None


def is_less_better(metric: str) -> bool:
    """Whether a smaller score is the better one."""
    return metric != JUDGE and METRICS[metric].is_less_better


def measured(answer: Answer, question: Question, metrics: Sequence[str]) -> dict[str, float]:
    """What an answer scores on each metric that fits the example; a judge's are left out."""
    found = {name: METRICS[name].measure(answer, question) for name in metrics if name in METRICS}
    return {name: score for name, score in found.items() if score is not None}


def check_metrics(names: list[str], *, pointer: str) -> None:
    """Raise `CandidateInvalid` for a metric that does not exist."""
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise CandidateInvalid(
            f"Metrics must be some of {', '.join(METRICS)}.",
            faults=[Fault("metric_unknown", f"`{name}` is no metric", pointer) for name in unknown],
        )
