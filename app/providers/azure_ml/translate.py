"""Between Azure ML's words and ours: a job and its trainer's journal in, an observation out."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.domain.jobs import Event, JobError, MetricPoint, Progress, Remote
from app.domain.provider import Artifact, Observation, RemoteState
from app.providers.azure_ml.jobs import Seen
from app.providers.azure_ml.orders import PARAMETERS
from app.providers.azure_ml.runs import Outcome

LOOK_EVERY_SECONDS = 30.0
"""Clusters take minutes to start, trainings longer; the journal comes out every 15 seconds."""

VERSION = "1"
"""The first of a name that no other model has had."""

STATES: Mapping[str, RemoteState] = {
    "NotStarted": RemoteState.PENDING,
    "Starting": RemoteState.PENDING,
    "Provisioning": RemoteState.PENDING,
    "Preparing": RemoteState.PENDING,
    "Queued": RemoteState.PENDING,
    "Running": RemoteState.RUNNING,
    "Finalizing": RemoteState.RUNNING,
    # The SDK takes these two for ends; a node that is silent may come back.
    "Paused": RemoteState.PAUSED,
    "NotResponding": RemoteState.UNKNOWN,
    "CancelRequested": RemoteState.CANCELLING,
    "Completed": RemoteState.SUCCEEDED,
    "Failed": RemoteState.FAILED,
    "Canceled": RemoteState.CANCELLED,
}

OVER = frozenset({RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.CANCELLED})


class Cursor(msgspec.Struct, frozen=True):
    """How far the journal was told, and how far the training was by then."""

    offset: int = 0
    progress: Progress | None = None

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """The cursor as `str` wrote it; the beginning for None."""
        return cls() if text is None else msgspec.json.decode(text, type=cls)

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the job: new lines of the journal, the trainer's and Azure's reasons."""

    journal: bytes = b""
    outcome: Outcome | None = None
    reason: str | None = None
    model: str | None = None
    """The handle of what it left, where that is under another name than the job's."""


def observation(job: Seen, told: Told, cursor: Cursor) -> Observation:
    """What one look at a job says, and what is new since the cursor."""
    state = state_of(job)
    entries = list(_entries(told.journal))
    metrics = [entry for entry in entries if entry["kind"] == "metrics"]
    progress = _progress(metrics[-1]) if metrics else cursor.progress
    reached = Cursor(cursor.offset + len(told.journal), progress)
    return Observation(
        state=state,
        remote=remote_of(job),
        look_again_in=0.0 if state in OVER else LOOK_EVERY_SECONDS,
        progress=progress,
        metrics=[_point(entry) for entry in metrics],
        # Those of the trainer lie on the container's own disk, and go with it.
        checkpoints=[],
        events=[_event(entry) for entry in entries if entry["kind"] in ("phase", "notice")],
        cursor=str(reached),
        artifact=_artifact(job, told) if state is RemoteState.SUCCEEDED else None,
        error=_error(job, told) if state is RemoteState.FAILED else None,
    )


def state_of(job: Seen) -> RemoteState:
    """Azure's status in our words; one that is not known is told and waited for."""
    return STATES.get(job.status, RemoteState.UNKNOWN)


def remote_of(job: Seen) -> Remote:
    """The job in the workspace, with its page in the studio."""
    return Remote(id=job.name, status=job.status, url=job.url)


def effective(parameters: Mapping[str, str]) -> dict[str, Any]:
    """What was asked for; Azure tells nothing of what its component chose."""
    ours = {theirs: ours for ours, theirs in PARAMETERS.items()}
    return {ours[name]: _number(value) for name, value in parameters.items() if name in ours}


def _entries(journal: bytes) -> Iterator[dict[str, Any]]:
    """The journal's lines; one that a lost node left unreadable is passed over."""
    for line in journal.splitlines():
        try:
            entry = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(entry, dict) and "kind" in entry:
            yield entry


def _progress(entry: Mapping[str, Any]) -> Progress:
    share = entry["step"] / entry["total_steps"] if entry["total_steps"] else 0.0
    return Progress(
        round(100 * min(share, 1.0), 1),
        step=entry["step"],
        total_steps=entry["total_steps"],
        epoch=entry["epoch"],
        eta_seconds=entry["eta_seconds"],
    )


def _point(entry: Mapping[str, Any]) -> MetricPoint:
    return MetricPoint(entry["step"], entry["values"], entry["epoch"], entry["at"])


def _event(entry: Mapping[str, Any]) -> Event:
    said = {} if entry.get("message") is None else {"message": entry["message"]}
    if entry["kind"] == "phase":
        return Event("job.phase", {"phase": entry["phase"]} | said)
    return Event("job.notice", {"level": entry["level"]} | said)


def _artifact(job: Seen, told: Told) -> Artifact:
    handle, outcome = told.model or f"{job.name}:{VERSION}", told.outcome
    if outcome is None:
        return Artifact(handle, "remote", effective=effective(job.parameters or {}))
    return Artifact(
        handle,
        "remote",
        effective=outcome.effective | {"versions": outcome.versions},
        trained_tokens=outcome.tokens,
        sha256=outcome.weights_sha256,
    )


def _number(value: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _error(job: Seen, told: Told) -> JobError:
    failure = told.outcome.error if told.outcome else None
    if failure is not None:
        return JobError(failure.code, failure.message, failure.hint)
    page = f"The job's page has its logs: {job.url}" if job.url else None
    return JobError("provider_failed", told.reason or "Azure ML gives no reason.", hint=page)
