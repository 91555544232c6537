"""The gate: whether a candidate is better by enough, or worse by little enough, to be let through.

A gain counts with the gate's confidence only: the one-sided lower bound of the paired difference
decides, not its mean.
"""

from collections.abc import Mapping, Sequence

from app.domain.datasets import DatasetRef
from app.domain.evaluations import Gain, Gate, Guard, Verdict
from app.domain.metrics import is_less_better
from app.domain.scoring import Gap, Sheet, gap

MARGIN = 0.05
"""How much worse than the model that it replaces a new one may be, where nobody says otherwise."""

ROUNDING = 1e-9

MINIMUM_EXAMPLES = 10
"""Of fewer examples an interval of resampled differences says nothing that holds."""


def usual_gate(metrics: Sequence[str], *, replaces: bool) -> Gate:
    """Not worse than the model that is replaced by more than the margin; else better than a base.

    By the first metric of quality, of which more is better.
    """
    metric = next((name for name in metrics if not is_less_better(name)), metrics[0])
    if replaces:
        return Gate(metric=metric, non_inferiority_margin=MARGIN)
    return Gate(metric=metric, min_delta=0.0)


def verdicts(gate: Gate, sheet: Sheet, elsewhere: Mapping[str, Sheet | None]) -> list[Verdict]:
    """Whether each candidate but the first passes.

    `elsewhere` holds what was scored on a guard's dataset, by the id of its evaluation; None where
    that failed.
    """
    baseline, *others = sheet.candidates
    return [_verdict(gate, sheet, elsewhere, candidate, baseline) for candidate in others]


def _verdict(
    gate: Gate,
    sheet: Sheet,
    elsewhere: Mapping[str, Sheet | None],
    candidate: str,
    baseline: str,
) -> Verdict:
    decided = _gain(
        sheet, candidate, baseline, gate.metric, needed=gate.threshold, confidence=gate.confidence
    )
    guards: list[Gain] = []
    for guard in gate.guards:
        there = sheet if guard.evaluation_id is None else elsewhere[guard.evaluation_id]
        guards.append(_guarded(gate, guard, there, candidate, baseline))
    passed = decided.passed and all(one.passed for one in guards)
    return Verdict(
        candidate=candidate, baseline=baseline, passed=passed, gate=decided, guards=guards
    )


def _guarded(gate: Gate, guard: Guard, sheet: Sheet | None, candidate: str, baseline: str) -> Gain:
    if sheet is None:
        return Gain(
            metric=guard.metric,
            gain=None,
            lower_bound=None,
            needed=-guard.max_drop,
            examples=0,
            passed=False,
            reason="The evaluation on the guard's dataset failed.",
            dataset=guard.dataset,
            evaluation_id=guard.evaluation_id,
        )
    return _gain(
        sheet,
        candidate,
        baseline,
        guard.metric,
        needed=-guard.max_drop,
        confidence=gate.confidence,
        dataset=guard.dataset,
        evaluation_id=guard.evaluation_id,
    )


def _gain(
    sheet: Sheet,
    candidate: str,
    baseline: str,
    metric: str,
    *,
    needed: float,
    confidence: float,
    dataset: DatasetRef | None = None,
    evaluation_id: str | None = None,
) -> Gain:
    found = gap(sheet, candidate, baseline, metric)
    mean, bound = (None, None) if found is None else _as_gain(found, metric, confidence)
    examples = 0 if found is None else found.examples
    is_enough = examples >= MINIMUM_EXAMPLES
    passed = bound is not None and is_enough and bound >= needed - ROUNDING
    return Gain(
        metric=metric,
        gain=mean,
        lower_bound=bound,
        needed=needed,
        examples=examples,
        passed=passed,
        reason=_reason(bound, needed, confidence, is_enough=is_enough),
        dataset=dataset,
        evaluation_id=evaluation_id,
    )


def _as_gain(found: Gap, metric: str, confidence: float) -> tuple[float, float]:
    """The gain and its lower bound: where less is better, what was saved."""
    if is_less_better(metric):
        return -found.mean, -found.quantile(confidence)
    return found.mean, found.quantile(1 - confidence)


def _reason(bound: float | None, needed: float, confidence: float, *, is_enough: bool) -> str:
    if bound is None:
        return "No example was scored for both."
    if not is_enough:
        return f"Fewer than {MINIMUM_EXAMPLES} examples were scored for both: too few to decide."
    relation = "at least" if bound >= needed - ROUNDING else "less than"
    return (
        f"With {confidence:.4g} confidence the gain is {bound:.4g} or more, {relation} "
        f"the {needed:.4g} needed."
    )
