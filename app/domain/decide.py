"""What follows from what was seen: pure judgements that another place writes down."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.errors import Later, Never, Steer, YourTurn
from app.domain.jobs import (
    TRANSITIONS,
    Desired,
    Event,
    Job,
    JobError,
    JobStatus,
    Millis,
    Remote,
)
from app.domain.provider import Artifact, Observation, RemoteState

BACKOFF_CAP_SECONDS = 900.0

SILENCE_CAP_SECONDS = 120.0
"""The same for looks at what is running: a provider that is back is to be seen soon."""

SHARE_OF_AGE = 1 / 40
"""How late the end of a training may be seen, as a share of the time that it took."""

MOST_STRETCHED = 4.0
"""How many times as long as the provider's own pause between two looks may become."""

WISH_SECONDS = 15.0
"""At most so long until a wish that has not come true is said again."""

AS_DESIRED = {
    Desired.RUN: {JobStatus.RUNNING, JobStatus.CANCELLING},
    Desired.PAUSE: {JobStatus.PAUSED, JobStatus.CANCELLING},
    Desired.CANCEL: set[JobStatus](),
}
"""The open states in which nothing is left to be said to the provider."""


class IllegalTransition(Exception):
    """A judgement would move a job where no job may go."""


@dataclass(frozen=True)
class Decision:
    """What to write: the fields that change, the events, and when to look next.

    `look_again_in` is in seconds; None means that no tick needs to look again.
    """

    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    events: tuple[Event, ...] = ()
    look_again_in: float | None = None
    observation: Observation | None = None
    artifact: Artifact | None = None

    @property
    def is_visible(self) -> bool:
        """Whether a user would see a difference; the moment of the last look alone is none."""
        return bool(set(self.changes) - _UNSEEN) or bool(self.events)


_UNSEEN = frozenset({"observed_at", "cursor", "failures", "intent_at"})


class SubmitStep(StrEnum):
    """What the submit chore does next with a job that is not at its provider yet."""

    CREATE = "create"
    LOOK_UP = "look_up"
    WAIT = "wait"
    DROP = "drop"


def next_submit_step(job: Job, now: Millis, *, settle_seconds: float) -> SubmitStep:
    """Create at once what was never sent; after a lost outcome settle, then look up first."""
    if job.intent_at is None:
        return SubmitStep.DROP if job.desired is Desired.CANCEL else SubmitStep.CREATE
    if now < job.intent_at + settle_seconds * 1000:
        return SubmitStep.WAIT
    return SubmitStep.LOOK_UP


def seconds_to_settle(job: Job, now: Millis, *, settle_seconds: float) -> float:
    """How long a look-up would still be too early."""
    return max((job.intent_at or now) / 1000 + settle_seconds - now / 1000, 0.0)


def intend(job: Job, now: Millis, *, versions: Mapping[str, str]) -> Decision:
    """Make the intent durable: after it, only a look-up may say that nothing was created.

    `versions` are those of what sends, for whoever asks later how the model came about.
    """
    sent = job.sent and msgspec.structs.replace(job.sent, versions=dict(versions))
    return Decision(
        _move(job, JobStatus.SUBMITTING, intent_at=now, status_detail=None, sent=sent),
        (Event("job.submitting", {"attempt": job.attempt}),),
    )


def after_submission(job: Job, remote: Remote, now: Millis, *, adopted: bool) -> Decision:
    """The attempt is at its provider, created just now or found from an earlier try."""
    status = JobStatus.CANCELLING if job.desired is Desired.CANCEL else JobStatus.RUNNING
    return Decision(
        _move(
            job,
            status,
            remote=remote,
            status_detail=None,
            started_at=now,
            observed_at=now,
            unreachable_since=None,
            failures=0,
        ),
        (Event("job.adopted" if adopted else "job.submitted", {"remote_id": remote.id}),),
        look_again_in=0.0,
    )


def after_refusal(job: Job, said: Steer, now: Millis) -> Decision:
    """The provider said for certain that nothing was created."""
    if isinstance(said, Later):
        changes = _move(job, JobStatus.QUEUED, intent_at=None, status_detail=said.reason)
        return Decision(changes, look_again_in=said.retry_after)
    if isinstance(said, YourTurn):
        changes = _move(job, JobStatus.BLOCKED, intent_at=None, status_detail=said.message)
        return Decision(changes, (Event("job.blocked", {"message": said.message}),))
    if isinstance(said, Never):
        error = JobError(said.code, said.message, said.hint)
        return _end(job, JobStatus.FAILED, now, error=error)
    raise IllegalTransition(f"no such word: {said!r}")


def after_lost_outcome(
    job: Job, problem: str, *, settle_seconds: float, chance: random.Random
) -> Decision:
    """Nobody knows whether the attempt was created: settle, and look before a second try."""
    detail = f"The provider's answer was lost ({problem}); looking whether the job was created."
    return Decision(
        {"status_detail": detail, "failures": job.failures + 1},
        (Event("job.outcome_unknown", {"problem": problem}),),
        look_again_in=max(settle_seconds, backoff_seconds(job.failures + 1, chance)),
    )


def after_lost_look_up(job: Job, *, chance: random.Random) -> Decision:
    """It is still unknown: look again, for nothing new has to settle."""
    wait = backoff_seconds(job.failures + 1, chance, cap=SILENCE_CAP_SECONDS)
    return Decision({"failures": job.failures + 1}, look_again_in=wait)


def after_drop(job: Job, now: Millis) -> Decision:
    """Cancelled before anything was sent, or after a look-up found nothing."""
    return _end(job, JobStatus.CANCELLED, now)


def after_observation(job: Job, seen: Observation, now: Millis) -> Decision:
    """What a look at the provider changes."""
    if seen.state is RemoteState.SUCCEEDED and seen.artifact is None:
        error = JobError("artifact_missing", "The provider reports success without a model.")
        return _end(job, JobStatus.FAILED, now, seen=seen, error=error)
    if seen.state is RemoteState.SUCCEEDED:
        return _end(job, JobStatus.SUCCEEDED, now, seen=seen)
    if seen.state is RemoteState.FAILED:
        error = seen.error or JobError("provider_failed", "The provider reports a failure.")
        return _end(job, JobStatus.FAILED, now, seen=seen, error=error)
    if seen.state is RemoteState.CANCELLED:
        return _end(job, JobStatus.CANCELLED, now, seen=seen)
    status = _status_while_open(job, seen.state)
    changes = _seen(job, seen, now) | _move(job, status, status_detail=seen.detail)
    return Decision(
        _only_changes(job, changes),
        _events_of(job, status, seen),
        look_again_in=_pause(job, status, seen, now),
        observation=seen,
    )


def after_silence(job: Job, problem: str, now: Millis, *, chance: random.Random) -> Decision:
    """The provider could not be reached: the job is stale, and never failed for that."""
    wait = backoff_seconds(job.failures + 1, chance, cap=SILENCE_CAP_SECONDS)
    changes: dict[str, Any] = {"failures": job.failures + 1}
    events: tuple[Event, ...] = ()
    if job.unreachable_since is None:
        changes["unreachable_since"] = now
        events = (Event("job.stale", {"problem": problem}),)
    return Decision(changes, events, look_again_in=wait)


def after_accidents(job: Job, problem: str, *, times: int) -> Decision:
    """Nobody gets through with the job: leave it to a person, and the others alone."""
    detail = (
        f"{times} tries in a row to work on the job broke ({problem}). A retry goes on where it "
        "stopped; the service's log has the rest."
    )
    return Decision(
        _move(job, JobStatus.BLOCKED, status_detail=detail),
        (Event("job.parked", {"problem": problem}),),
    )


def after_refused_look(job: Job, said: Steer, now: Millis) -> Decision:
    """The provider answered a look with a word instead of a state."""
    if isinstance(said, Never):
        return _end(job, JobStatus.FAILED, now, error=JobError(said.code, said.message, said.hint))
    if isinstance(said, Later):
        return Decision({"status_detail": said.reason}, look_again_in=said.retry_after)
    return Decision({"status_detail": str(said)}, look_again_in=BACKOFF_CAP_SECONDS)


def after_probe_refusal(job: Job, seen: Observation, said: Never, now: Millis) -> Decision:
    """The training ended well and its artefact does not answer: that is no success."""
    return _end(
        job, JobStatus.FAILED, now, seen=seen, error=JobError(said.code, said.message, said.hint)
    )


def backoff_seconds(
    failures: int, chance: random.Random, *, cap: float = BACKOFF_CAP_SECONDS
) -> float:
    """Exponential with full jitter, from about a second to the cap."""
    ceiling = min(2.0 ** min(failures, 16), cap)
    return 0.5 + chance.random() * ceiling


def _pause(job: Job, status: JobStatus, seen: Observation, now: Millis) -> float:
    """Seconds until the next look: old trainings are looked at seldom, unless a wish is open."""
    if status not in AS_DESIRED[job.desired]:
        return min(seen.look_again_in, WISH_SECONDS)
    if status is not JobStatus.RUNNING or job.started_at is None:
        return seen.look_again_in
    age = max(now - job.started_at, 0) / 1000
    stretched = min(age * SHARE_OF_AGE, seen.look_again_in * MOST_STRETCHED)
    return max(seen.look_again_in, stretched)


def _status_while_open(job: Job, state: RemoteState) -> JobStatus:
    """The user's wish shows at once; the provider's state decides between the rest."""
    is_ending = job.status is JobStatus.CANCELLING or state is RemoteState.CANCELLING
    if is_ending or job.desired is Desired.CANCEL:
        return JobStatus.CANCELLING
    if state is RemoteState.UNKNOWN:
        return job.status
    if state is RemoteState.PAUSED:
        return JobStatus.PAUSED
    if state is RemoteState.PAUSING or job.desired is Desired.PAUSE:
        return JobStatus.PAUSING
    return JobStatus.RUNNING


def _seen(job: Job, seen: Observation, now: Millis) -> dict[str, Any]:
    """What every look leaves, whatever it found."""
    changes: dict[str, Any] = {
        "observed_at": now,
        "remote": seen.remote,
        "unreachable_since": None,
        "failures": 0,
    }
    if seen.cursor is not None:
        changes["cursor"] = seen.cursor
    if seen.progress is not None:
        changes["progress"] = seen.progress
    if seen.metrics:
        changes["metrics"] = job.metrics | dict(seen.metrics[-1].values)
    return changes


def _events_of(job: Job, status: JobStatus, seen: Observation) -> tuple[Event, ...]:
    events = list(seen.events)
    events += [
        Event("job.checkpoint", {"step": saved.step, "name": saved.name})
        for saved in seen.checkpoints
    ]
    if seen.progress is not None and seen.progress != job.progress:
        latest = dict(seen.metrics[-1].values) if seen.metrics else {}
        events.append(
            Event(
                "job.progress",
                {"percent": seen.progress.percent, "step": seen.progress.step}
                | ({"metrics": latest} if latest else {}),
            )
        )
    if seen.state is RemoteState.UNKNOWN and seen.remote != job.remote:
        events.append(Event("job.unknown_status", {"remote_status": seen.remote.status}))
    if status is not job.status:
        events.append(Event(f"job.{status}", {}))
    return tuple(events)


def _end(
    job: Job,
    status: JobStatus,
    now: Millis,
    *,
    seen: Observation | None = None,
    error: JobError | None = None,
) -> Decision:
    changes = _seen(job, seen, now) if seen else {}
    changes |= _move(
        job,
        status,
        status_detail=None,
        error=error,
        # An imported job may have ended long before it was first seen here.
        finished_at=job.finished_at or now,
        unreachable_since=None,
    )
    events = _events_of(job, job.status, seen) if seen else ()
    ending = {"code": error.code, "message": error.message} if error else {}
    return Decision(
        _only_changes(job, changes),
        (*events, Event(f"job.{status}", ending)),
        observation=seen,
        artifact=seen.artifact if seen and status is JobStatus.SUCCEEDED else None,
    )


def _move(job: Job, status: JobStatus, **others: Any) -> dict[str, Any]:
    if status is not job.status and status not in TRANSITIONS[job.status]:
        raise IllegalTransition(f"a {job.status} job cannot become {status}")
    return {"status": status, **others}


def _only_changes(job: Job, changes: dict[str, Any]) -> dict[str, Any]:
    """`observed_at` and what differs, so that a look that finds nothing new is not a revision."""
    return {
        name: value
        for name, value in changes.items()
        if name == "observed_at" or getattr(job, name) != value
    }
