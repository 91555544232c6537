"""What a user's wish makes of a job: pure judgements, written down under the job's row lock."""

from typing import Any

from app.domain.errors import JobFinished, JobNotFinished, OperationNotSupported
from app.domain.jobs import Desired, Event, Job, JobStatus, current_attempt

Change = tuple[dict[str, Any], Event]
"""The fields that change, and what is told."""


def wished(job: Job, desired: Desired, *, operation: str) -> Change | None:
    """The wish for a cancel, a pause or a resume; None where it changes nothing.

    Raises `JobFinished` where it comes too late.
    """
    if job.status.is_final:
        raise JobFinished(f"The job has already {_ENDINGS[job.status]}.")
    if job.desired is Desired.CANCEL and desired is not Desired.CANCEL:
        raise JobFinished("The job is being cancelled.")
    if job.desired is desired and not _is_stuck(job):
        return None
    return _shown(job, desired), Event(f"job.{operation}_requested")


def retried(job: Job) -> Change:
    """A new attempt; a job that was parked with something at its provider keeps the one it has.

    Raises `JobFinished`, `JobNotFinished`, and `OperationNotSupported` for what was imported
    without its dataset.
    """
    if job.status is JobStatus.SUCCEEDED:
        raise JobFinished("The job succeeded; create a new one to train again.")
    if not (job.status.is_final or job.status is JobStatus.BLOCKED):
        raise JobNotFinished(f"The job is {job.status}; cancel it before a retry.")
    if job.status is JobStatus.BLOCKED and _may_be_at_provider(job):
        return _unparked(job, job.desired), Event("job.resumed", {"attempt": job.attempt})
    if job.dataset is None:
        raise OperationNotSupported(
            "The job was imported without its dataset; create a new job with one."
        )
    return _next_attempt(job), Event("job.retried", {"attempt": job.attempt + 1})


_ENDINGS = {
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "been cancelled",
}


def _shown(job: Job, desired: Desired) -> dict[str, Any]:
    """A wish shows at once where the job is at its provider; what comes of it is observed."""
    changes: dict[str, Any] = {"desired": desired}
    if desired is Desired.CANCEL and job.status is JobStatus.BLOCKED:
        return changes | _unparked(job, desired)
    if desired is Desired.CANCEL and job.remote is not None:
        return changes | {"status": JobStatus.CANCELLING}
    return changes


def _is_stuck(job: Job) -> bool:
    """Parked on its way to its end: asking for that again is news."""
    return job.status is JobStatus.BLOCKED and job.desired is Desired.CANCEL


def _may_be_at_provider(job: Job) -> bool:
    return job.remote is not None or job.intent_at is not None


def _unparked(job: Job, desired: Desired) -> dict[str, Any]:
    """Back to where the reconciler finds out what there is at the provider."""
    status = JobStatus.QUEUED
    if job.remote is not None:
        status = JobStatus.CANCELLING if desired is Desired.CANCEL else JobStatus.RUNNING
    elif job.intent_at is not None:
        status = JobStatus.SUBMITTING
    return {"status": status, "status_detail": None}


_OF_ONE_ATTEMPT = (
    "status_detail",
    "unreachable_since",
    "progress",
    "remote",
    "error",
    "intent_at",
    "cursor",
    "observed_at",
    "started_at",
    "finished_at",
)


def _next_attempt(job: Job) -> dict[str, Any]:
    """Everything that belongs to one attempt begins anew; the past one is kept in `attempts`."""
    fresh = dict.fromkeys(_OF_ONE_ATTEMPT)
    return fresh | {
        "status": JobStatus.QUEUED,
        "desired": Desired.RUN,
        "metrics": {},
        "failures": 0,
        "attempt": job.attempt + 1,
        "attempts": [*job.attempts, current_attempt(job)],
    }
