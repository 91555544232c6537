"""The card of a tuned model, put together from what was kept; what is not known is None."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.aliases import AliasDecision, DecisionKind
from app.domain.datasets import DatasetRef
from app.domain.evaluations import Evaluation, Interval
from app.domain.jobs import Job, Millis
from app.domain.models import TunedModel
from app.domain.provenance import SentRows

CARD_VERSION = 1
"""Changes when a field changes its meaning or goes; new ones may be added at any time."""


class ModelPart(msgspec.Struct, frozen=True, kw_only=True):
    """The tuned model; `sha256` is of its weights, where they are here."""

    id: str
    name: str | None
    job: str | None
    kind: str
    sha256: str | None


class ProviderPart(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was trained: the connection by its name here, and the provider's kind."""

    name: str
    kind: str | None


class BasePart(msgspec.Struct, frozen=True, kw_only=True):
    """What it was tuned from; `parent_model` is the tuned model that the training continued."""

    name: str
    revision: str | None
    sha256: str | None
    parent_model: str | None
    parent_sha256: str | None


class DataPart(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the examples: the dataset, and its rows as they were sent."""

    dataset: DatasetRef | None
    sent: SentRows | None


class MethodPart(msgspec.Struct, frozen=True, kw_only=True):
    """How it was trained: as asked for, and as it came out once `auto` was settled."""

    type: str
    requested: dict[str, Any]
    effective: dict[str, Any]


class CostPart(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for the training."""

    quoted_usd: Decimal | None
    actual_usd: Decimal | None


class TimesPart(msgspec.Struct, frozen=True, kw_only=True):
    """When; the last attempt's, where there were several."""

    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ScorePart(msgspec.Struct, frozen=True, kw_only=True):
    """The model's mean on one metric with its 95 % interval."""

    metric: str
    mean: float | None
    interval: Interval | None
    examples: int


class EvaluationPart(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation in which the model answered; `passed` is the gate's word on it."""

    id: str
    dataset: DatasetRef
    finished_at: datetime | None
    scores: list[ScorePart]
    passed: bool | None


class DecisionPart(msgspec.Struct, frozen=True, kw_only=True):
    """One decision on an alias that was to mean the model, or meant it."""

    alias: str
    kind: DecisionKind
    by: str
    from_model: str | None
    to_model: str | None
    reason: str | None
    evaluation: str | None
    at: datetime


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of how a tuned model came about, in a stable order."""

    card_version: int = CARD_VERSION
    model: ModelPart
    provider: ProviderPart
    base_model: BasePart
    method: MethodPart | None
    seed: int | None
    training: DataPart
    validation: DataPart | None
    validation_split: float | None
    compiler: str | None
    versions: dict[str, str] | None
    trained_tokens: int | None
    cost: CostPart | None
    times: TimesPart
    evaluations: list[EvaluationPart]
    decisions: list[DecisionPart]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a card is put together from."""

    model: TunedModel
    provider_kind: str | None
    job: Job | None
    parent: TunedModel | None
    evaluations: Sequence[Evaluation]
    decisions: Sequence[AliasDecision]


def card_of(known: Known) -> Card:
    """The card of a tuned model."""
    model, job = known.model, known.job
    sent = job.sent if job else None
    settings, versions = _settled(model.effective)
    if sent is not None:
        versions = sent.versions | versions
    return Card(
        model=ModelPart(
            id=model.id, name=model.name, job=model.job_id, kind=model.kind, sha256=model.sha256
        ),
        provider=ProviderPart(name=model.provider, kind=known.provider_kind),
        base_model=_base(model, known.parent),
        method=None
        if model.method is None
        else MethodPart(
            type=model.method.type,
            requested=model.method.hyperparameters,
            effective=settings,
        ),
        seed=job.seed if job else None,
        training=DataPart(dataset=model.dataset, sent=sent and sent.training),
        validation=_validation(job),
        validation_split=job.validation_split if job else None,
        compiler=sent and sent.compiler,
        versions=versions or None,
        trained_tokens=model.trained_tokens,
        cost=job and CostPart(quoted_usd=job.cost.quoted_usd, actual_usd=job.cost.actual_usd),
        times=_times(model, job),
        evaluations=[_evaluation(one, model.id) for one in known.evaluations],
        decisions=[_decision(one) for one in known.decisions],
    )


def encode(card: Card) -> bytes:
    """The card as JSON, the same bytes for the same card."""
    return msgspec.json.format(msgspec.json.encode(card), indent=2)


def _settled(effective: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Hyperparameters without what stands elsewhere on the card, and the trainer's versions."""
    settings = {
        name: value for name, value in effective.items() if name not in ("versions", "seed")
    }
    return settings, effective.get("versions") or {}


def _base(model: TunedModel, parent: TunedModel | None) -> BasePart:
    return BasePart(
        name=model.base_model,
        revision=model.base.revision if model.base else None,
        sha256=model.base.sha256 if model.base else None,
        parent_model=model.parent_model_id,
        parent_sha256=parent.sha256 if parent else None,
    )


def _validation(job: Job | None) -> DataPart | None:
    if job is None or not (job.validation_dataset or job.validation_split):
        return None
    return DataPart(
        dataset=job.validation_dataset or job.dataset, sent=job.sent and job.sent.validation
    )


def _times(model: TunedModel, job: Job | None) -> TimesPart:
    return TimesPart(
        created_at=_moment(model.created_at),
        started_at=_moment(job.started_at) if job and job.started_at else None,
        finished_at=_moment(job.finished_at) if job and job.finished_at else None,
    )


def _evaluation(evaluation: Evaluation, model_id: str) -> EvaluationPart:
    names = {one.name for one in evaluation.candidates if one.model_id == model_id}
    verdicts = evaluation.findings.verdicts if evaluation.findings else []
    return EvaluationPart(
        id=evaluation.id,
        dataset=evaluation.dataset,
        finished_at=_moment(evaluation.finished_at) if evaluation.finished_at else None,
        scores=[
            ScorePart(
                metric=score.metric,
                mean=score.mean,
                interval=score.interval,
                examples=score.examples,
            )
            for score in evaluation.scores
            if score.candidate in names
        ],
        passed=next((one.passed for one in verdicts if one.candidate in names), None),
    )


def _decision(decision: AliasDecision) -> DecisionPart:
    return DecisionPart(
        alias=decision.alias,
        kind=decision.kind,
        by=decision.by,
        from_model=decision.from_model,
        to_model=decision.to_model,
        reason=decision.reason,
        evaluation=decision.evaluation_id,
        at=_moment(decision.at),
    )


def _moment(millis: Millis) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
