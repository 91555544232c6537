"""Aliases: a name that points to a model, and what has to hold before it points to another."""

from enum import StrEnum

import msgspec

from app.domain.evaluations import (
    JUDGE,
    Candidate,
    Evaluation,
    EvaluationStatus,
    Gate,
    Guard,
    Verdict,
)
from app.domain.jobs import Millis

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$"
"""No slash, which base models have."""


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """A name and the model that it means now.

    `past` holds the models that it meant before, the latest last, as far as no rollback took them.
    """

    id: str
    name: str
    target: Candidate
    gate: Gate | None = None
    past: list[Candidate] = []
    created_at: Millis
    moved_at: Millis


class DecisionKind(StrEnum):
    """What became of a wish to move an alias."""

    CREATED = "created"
    MOVED = "moved"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    GATE_CHANGED = "gate_changed"
    DELETED = "deleted"


class AliasDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an alias's history; `by` is `api`, or the job that asked for a promotion."""

    alias: str
    kind: DecisionKind
    by: str
    from_model: str | None
    to_model: str | None
    reason: str | None = None
    evaluation_id: str | None = None
    verdict: Verdict | None = None
    at: Millis


class Change(msgspec.Struct, frozen=True):
    """An alias as it is to be, and the line in its history that says why."""

    alias: Alias
    decision: AliasDecision


class Ruling(msgspec.Struct, frozen=True):
    """Whether an alias may move, why, and the numbers that decided."""

    passed: bool
    reason: str
    verdict: Verdict | None = None


def target_of(found: Candidate) -> Candidate:
    """The same model under its own name: an alias of an alias would follow it about."""
    name = found.model_id or f"{found.provider}/{found.base_model}"
    return msgspec.structs.replace(found, name=name)


def is_same(one: Candidate, other: Candidate) -> bool:
    """Whether both mean one model, whatever they were called."""
    return target_of(one) == target_of(other)


def rule(
    gate: Gate | None, *, now: Candidate | None, wanted: Candidate, evaluation: Evaluation | None
) -> Ruling:
    """Whether an alias with this gate may move from `now` to `wanted` on this evaluation.

    An evaluation that is given has to have ended well, and where it has a gate of its own the
    wanted model has to have passed that.
    """
    if evaluation is None:
        if gate is None:
            return Ruling(True, "The alias has no gate.")
        return Ruling(False, "The alias has a gate: name the evaluation that passes it.")
    unfit = _unfit(evaluation, wanted)
    if unfit is None and gate is not None:
        unfit = _unfit_for(gate, evaluation, now)
    if unfit is not None:
        return Ruling(False, unfit)
    return _by_verdict(evaluation, wanted)


def make(
    id: str, name: str, target: Candidate, *, gate: Gate | None, by: str, at: Millis
) -> Change:
    """A new alias, which points wherever it is told to."""
    alias = Alias(id=id, name=name, target=target, gate=gate, created_at=at, moved_at=at)
    return Change(alias, _line(alias, DecisionKind.CREATED, by=by, at=at, to=target))


def move(
    alias: Alias, target: Candidate, ruling: Ruling, *, by: str, at: Millis, on: str | None
) -> Change:
    """The alias at its new model, or where it is if the ruling is against it.

    `on` is the evaluation that was ruled on.
    """
    kind = DecisionKind.MOVED if ruling.passed else DecisionKind.REFUSED
    line = msgspec.structs.replace(
        _line(alias, kind, by=by, at=at, to=target),
        reason=ruling.reason,
        evaluation_id=on,
        verdict=ruling.verdict,
    )
    if not ruling.passed:
        return Change(alias, line)
    past = [*alias.past, alias.target]
    return Change(msgspec.structs.replace(alias, target=target, past=past, moved_at=at), line)


def roll_back(alias: Alias, *, by: str, at: Millis) -> Change:
    """The alias at the model that it meant before; there has to be one."""
    *older, before = alias.past
    line = _line(alias, DecisionKind.ROLLED_BACK, by=by, at=at, to=before)
    return Change(msgspec.structs.replace(alias, target=before, past=older, moved_at=at), line)


def set_gate(alias: Alias, gate: Gate | None, *, by: str, at: Millis) -> Change:
    """The alias under another gate, or none."""
    line = _line(alias, DecisionKind.GATE_CHANGED, by=by, at=at, to=alias.target)
    return Change(msgspec.structs.replace(alias, gate=gate), line)


def delete(alias: Alias, *, by: str, at: Millis) -> AliasDecision:
    """The last line of an alias's history."""
    return _line(alias, DecisionKind.DELETED, by=by, at=at, to=None)


def promotion_gate(gate: Gate | None) -> Gate | None:
    """The gate as a job's own evaluation can carry it: that one has no judge."""
    if gate is None or JUDGE in (gate.metric, *(guard.metric for guard in gate.guards)):
        return None
    return gate


def is_as_strict(made: Gate, wanted: Gate) -> bool:
    """Whether what passes the one passes the other."""
    if made.metric != wanted.metric or made.confidence < wanted.confidence:
        return False
    if made.threshold < wanted.threshold:
        return False
    return all(any(_covers(one, guard) for one in made.guards) for guard in wanted.guards)


def _line(
    alias: Alias, kind: DecisionKind, *, by: str, at: Millis, to: Candidate | None
) -> AliasDecision:
    was = None if kind is DecisionKind.CREATED else alias.target.name
    to_model = to.name if to else None
    return AliasDecision(
        alias=alias.name, kind=kind, by=by, from_model=was, to_model=to_model, at=at
    )


def _unfit(evaluation: Evaluation, wanted: Candidate) -> str | None:
    if evaluation.status is not EvaluationStatus.SUCCEEDED:
        return f"The evaluation {evaluation.id} has not ended well: it is {evaluation.status}."
    if not any(is_same(candidate, wanted) for candidate in evaluation.candidates):
        return f"{wanted.name} is no candidate of the evaluation {evaluation.id}."
    return None


def _unfit_for(gate: Gate, evaluation: Evaluation, now: Candidate | None) -> str | None:
    if now is not None and not is_same(evaluation.candidates[0], now):
        return (
            f"The evaluation {evaluation.id} compares with {evaluation.candidates[0].name}; its "
            f"first candidate has to be {now.name}, to which the alias points now."
        )
    if evaluation.gate is None or not is_as_strict(evaluation.gate, gate):
        return f"The evaluation {evaluation.id} was made without the alias's gate, or a weaker one."
    return None


def _by_verdict(evaluation: Evaluation, wanted: Candidate) -> Ruling:
    verdict = _verdict_on(evaluation, wanted)
    if verdict is None and evaluation.gate is None:
        return Ruling(True, f"The evaluation {evaluation.id} ended well; it has no gate.")
    if verdict is None:
        return Ruling(False, f"The evaluation {evaluation.id} compares {wanted.name} with nothing.")
    said = next((gain for gain in (verdict.gate, *verdict.guards) if not gain.passed), verdict.gate)
    return Ruling(verdict.passed, f"{said.metric}: {said.reason}", verdict)


def _verdict_on(evaluation: Evaluation, wanted: Candidate) -> Verdict | None:
    names = {one.name for one in evaluation.candidates if is_same(one, wanted)}
    verdicts = evaluation.findings.verdicts if evaluation.findings else []
    return next((verdict for verdict in verdicts if verdict.candidate in names), None)


def _covers(made: Guard, wanted: Guard) -> bool:
    where = (made.metric, made.dataset and made.dataset.id)
    wanted_where = (wanted.metric, wanted.dataset and wanted.dataset.id)
    return where == wanted_where and made.max_drop <= wanted.max_drop
