"""The ledger: what was quoted and what it came to, for trainings, hosting and evaluations."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domain.evaluations import Evaluation
from app.domain.jobs import Job, Millis


class EntryKind(StrEnum):
    """What the money was for."""

    TRAINING = "training"
    HOSTING = "hosting"
    EVALUATION = "evaluation"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line; `key` names what it is about, and is written again when more is known of it.

    Amounts are US dollars; None where nobody knows.
    """

    key: str
    at: Millis
    kind: EntryKind
    provider: str | None
    base_model: str | None
    job_id: str | None = None
    model_id: str | None = None
    evaluation_id: str | None = None
    tags: dict[str, str] = {}
    quoted_usd: Decimal | None = None
    actual_usd: Decimal | None = None


class StoredEntry(Entry, frozen=True, kw_only=True):
    """A line with its id."""

    id: str

    @property
    def variance_usd(self) -> Decimal | None:
        """By how much it came to more than it was quoted at."""
        if self.quoted_usd is None or self.actual_usd is None:
            return None
        return self.actual_usd - self.quoted_usd


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Lines summed up; amounts that nobody knows count for nothing.

    `variance_usd` is summed over the lines of which both amounts are known.
    """

    group: str | None
    entries: int
    quoted_usd: Decimal | None
    actual_usd: Decimal | None
    variance_usd: Decimal | None


class Period(msgspec.Struct, frozen=True):
    """From when on, and until before when; None for open ends."""

    start: Millis | None = None
    end: Millis | None = None


def of_training(job: Job) -> Entry:
    """The quote that was taken with a job, and what the training has cost by now."""
    return Entry(
        key=f"training:{job.id}",
        at=job.created_at,
        kind=EntryKind.TRAINING,
        provider=job.provider,
        base_model=job.base_model,
        job_id=job.id,
        model_id=job.tuned_model_id,
        tags=job.tags,
        quoted_usd=job.cost.quoted_usd,
        actual_usd=job.cost.actual_usd,
    )


def of_surplus(job: Job, remote_id: str, *, at: Millis, actual: Decimal | None) -> Entry:
    """What a second creation of a job has cost, which nobody wanted and the vendor bills."""
    return Entry(
        key=surplus_key(job.provider, remote_id),
        at=at,
        kind=EntryKind.TRAINING,
        provider=job.provider,
        base_model=job.base_model,
        job_id=job.id,
        tags=job.tags,
        actual_usd=actual,
    )


def surplus_key(provider: str, remote_id: str) -> str:
    """The key of the line of a second creation."""
    return f"surplus:{provider}:{remote_id}"


def of_evaluation(evaluation: Evaluation, tags: dict[str, str]) -> Entry:
    """What answers and judgements have cost; `tags` are those of the job that brought it."""
    last = evaluation.candidates[-1]
    providers = {candidate.provider for candidate in evaluation.candidates}
    bases = {candidate.base_model for candidate in evaluation.candidates}
    return Entry(
        key=f"evaluation:{evaluation.id}",
        at=evaluation.created_at,
        kind=EntryKind.EVALUATION,
        provider=last.provider if len(providers) == 1 else None,
        base_model=last.base_model if len(bases) == 1 else None,
        job_id=evaluation.job_id,
        model_id=last.model_id,
        evaluation_id=evaluation.id,
        tags=tags,
        quoted_usd=evaluation.max_cost_usd,
        actual_usd=None if evaluation.cost_usd is None else Decimal(repr(evaluation.cost_usd)),
    )
