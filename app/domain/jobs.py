"""A job: what was asked for, what was observed, and which states follow which."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.access import DEFAULT_PROJECT
from app.domain.datasets import DatasetRef
from app.domain.migrations import Migration
from app.domain.provenance import Sent

Millis = int
"""A moment as milliseconds since 1970-01-01 UTC."""


def day_of(moment: Millis) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).date()


class JobStatus(StrEnum):
    """Where a job stands, as its user sees it."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    BLOCKED = "blocked"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether no tick will ever move the job again (a retry may)."""
        return self in FINAL


FINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})

UNSUBMITTED = frozenset({JobStatus.QUEUED, JobStatus.SUBMITTING})

AT_PROVIDER = frozenset(
    {JobStatus.RUNNING, JobStatus.PAUSING, JobStatus.PAUSED, JobStatus.CANCELLING}
)

_AFTER_SUBMISSION = AT_PROVIDER | FINAL | {JobStatus.BLOCKED}

TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset(
        {JobStatus.SUBMITTING, JobStatus.BLOCKED, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    # Back to queued only when the provider said for certain that nothing was created.
    JobStatus.SUBMITTING: _AFTER_SUBMISSION | {JobStatus.QUEUED},
    JobStatus.RUNNING: _AFTER_SUBMISSION,
    JobStatus.PAUSING: _AFTER_SUBMISSION,
    JobStatus.PAUSED: _AFTER_SUBMISSION,
    JobStatus.CANCELLING: frozenset({JobStatus.CANCELLING, JobStatus.BLOCKED}) | FINAL,
    # Back to where it stood when it was parked over accidents: the provider may have it.
    JobStatus.BLOCKED: frozenset(
        {
            JobStatus.QUEUED,
            JobStatus.SUBMITTING,
            JobStatus.RUNNING,
            JobStatus.CANCELLING,
            JobStatus.CANCELLED,
        }
    ),
    # Only a retry, which is a new attempt, leads out of an end.
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.CANCELLED: frozenset({JobStatus.QUEUED}),
    JobStatus.SUCCEEDED: frozenset(),
}
"""Who may follow whom; `docs/architecture.md` draws it and names who moves what."""


class Desired(StrEnum):
    """What the user wants of a job; the reconciler works until the observed state agrees."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


class Method(msgspec.Struct, frozen=True):
    """How to train: `type` (`sft`, `dpo`, ...) and the hyperparameters as they were asked for."""

    type: str
    hyperparameters: dict[str, Any] = {}


class Progress(msgspec.Struct, frozen=True):
    """How far a job is; `percent` counts from 0 to 100."""

    percent: float
    step: int | None = None
    total_steps: int | None = None
    epoch: float | None = None
    eta_seconds: float | None = None


class JobError(msgspec.Struct, frozen=True):
    """Why a job failed, and what a person can do about it."""

    code: str
    message: str
    hint: str | None = None


class Remote(msgspec.Struct, frozen=True):
    """The job at its provider: the provider's id, its own word for the state, where to look."""

    id: str
    status: str | None = None
    url: str | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One try of a job at its provider, kept after a retry began the next."""

    number: int
    status: JobStatus
    started_at: Millis | None
    finished_at: Millis | None
    remote: Remote | None = None
    error: JobError | None = None


class EvaluationWish(msgspec.Struct, frozen=True):
    """An evaluation to run on the tuned model once it is born."""

    dataset_id: str
    metrics: list[str]


class JobFiles(msgspec.Struct, frozen=True):
    """The files whose rows are the datasets, for a job that was created with files."""

    training: str
    validation: str | None = None


class JobCost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """US dollars for the training; None where the price list does not say."""

    quoted_low_usd: Decimal | None = None
    quoted_usd: Decimal | None = None
    """The most it was quoted to cost when it was created."""

    budget_usd: Decimal | None = None
    actual_usd: Decimal | None = None
    """What all its attempts that have ended cost by the price list, as far as that is known."""


class JobVersion(msgspec.Struct, frozen=True, order=True):
    """How far a job has come; every change that can be seen, so every event, raises it."""

    revision: int
    event_count: int
    status: JobStatus


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A fine-tuning job as the database keeps it; times are `Millis`."""

    id: str
    project_id: str = DEFAULT_PROJECT
    key_id: str | None = None
    """On whose account it is; written by the storage, like the project."""

    traceparent: str | None = None
    """The trace in which it was created, as W3C's header names it; written by the storage."""

    name: str | None
    provider: str
    base_model: str
    parent_model_id: str | None = None
    dataset: DatasetRef | None
    """None for a job that was imported without its file."""

    validation_dataset: DatasetRef | None = None
    validation_split: float | None = None
    files: JobFiles | None = None
    method: Method
    seed: int
    tags: dict[str, str] = {}
    evaluate: EvaluationWish | None = None
    promote: str | None = None
    """The alias that is to mean the tuned model once the evaluation has ended well."""

    migration: Migration | None = None
    """What it replaces, for a job that makes a model of elsewhere anew."""

    sent: Sent | None = None
    """What goes to the provider, by its hashes; None where that was not kept."""

    cost: JobCost = JobCost()

    status: JobStatus = JobStatus.QUEUED
    desired: Desired = Desired.RUN
    status_detail: str | None = None
    unreachable_since: Millis | None = None
    progress: Progress | None = None
    metrics: dict[str, float] = {}
    remote: Remote | None = None
    error: JobError | None = None
    tuned_model_id: str | None = None

    attempt: int = 1
    attempts: list[Attempt] = []
    intent_at: Millis | None = None
    cursor: str | None = None
    failures: int = 0
    accidents: int = 0
    """Claims in a row after which nothing was written; under lease the present one counts."""

    revision: int = 1
    event_count: int = 0
    epoch: int = 0
    observed_at: Millis | None = None
    created_at: Millis
    started_at: Millis | None = None
    finished_at: Millis | None = None

    @property
    def version(self) -> JobVersion:
        """How far it has come, for whoever waits for more."""
        return JobVersion(self.revision, self.event_count, self.status)

    @property
    def submission_key(self) -> str:
        """What names this attempt at the provider: at most 63 characters of `[a-z0-9-]`."""
        return f"{self.id.replace('_', '-', 1)}-{self.attempt}"

    @property
    def all_attempts(self) -> list[Attempt]:
        """Every try, oldest first; the last is under way or ended last."""
        return [*self.attempts, current_attempt(self)]

    @property
    def migrated_from(self) -> str | None:
        """The tuned model that is made anew."""
        return self.migration.replaced.model_id if self.migration else None

    @property
    def is_stale(self) -> bool:
        """Whether the provider could not be reached since `observed_at`."""
        return self.unreachable_since is not None


def job_of(key: str) -> tuple[str, int] | None:
    """The job's id and the attempt that a submission key names; None for a foreign key."""
    match = re.fullmatch(r"job-([0-9a-z]{26})-([1-9][0-9]*)", key)
    return None if match is None else (f"job_{match[1]}", int(match[2]))


class JobFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs a list is about; what is None does not matter."""

    status: str | None = None
    provider: str | None = None
    tags: Mapping[str, str] | None = None
    """All of these; an empty mapping means jobs without any tag."""

    created_after: Millis | None = None


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a job; its number is given when it is stored."""

    type: str
    data: dict[str, Any] = {}


class StoredEvent(msgspec.Struct, frozen=True):
    """An event with its place in the job's own gapless sequence, from 1."""

    job_id: str
    seq: int
    type: str
    data: dict[str, Any]
    at: Millis


class MetricPoint(msgspec.Struct, frozen=True):
    """The values measured at one step; a later point for the same step replaces it."""

    step: int
    values: dict[str, float]
    epoch: float | None = None
    at: Millis | None = None


class Checkpoint(msgspec.Struct, frozen=True):
    """A saved state of the training at one step, by the provider's own name."""

    step: int
    name: str
    at: Millis | None = None


def current_attempt(job: Job) -> Attempt:
    """The attempt that is under way or that ended last."""
    return Attempt(
        number=job.attempt,
        status=job.status,
        started_at=job.started_at,
        finished_at=job.finished_at,
        remote=job.remote,
        error=job.error,
    )
