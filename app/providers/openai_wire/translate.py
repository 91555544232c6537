"""Between OpenAI's jobs, events, checkpoints and results, and ours: plain values in and out."""

import base64
import binascii
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.domain.jobs import Checkpoint, Event, JobError, MetricPoint, Progress
from app.domain.provider import Artifact, RemoteState
from app.providers.openai_wire.hyperparameters import effective

STATES: Mapping[str, RemoteState] = {
    "created": RemoteState.PENDING,
    "pending": RemoteState.PENDING,
    "validating_files": RemoteState.PENDING,
    "queued": RemoteState.PENDING,
    "running": RemoteState.RUNNING,
    "resuming": RemoteState.RUNNING,
    "pausing": RemoteState.PAUSING,
    "paused": RemoteState.PAUSED,
    "cancelling": RemoteState.CANCELLING,
    "succeeded": RemoteState.SUCCEEDED,
    "failed": RemoteState.FAILED,
    "cancelled": RemoteState.CANCELLED,
}
"""Everything that is known to be said, beyond the six words of the specification."""

TERMINAL = frozenset({RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.CANCELLED})

_HINTS: Mapping[str, str] = {
    "invalid_training_file": "Mend the lines that the message names; POST /datasets/{id}/compile "
    "checks them without a job.",
    "invalid_validation_file": "Mend the lines that the message names; "
    "POST /datasets/{id}/compile checks them without a job.",
    "invalid_n_examples": "Add examples: 10 are the least, hundreds are wise.",
    "exceeded_quota": "Raise the account's limit or add credit, then retry the job.",
    "insufficient_quota": "Raise the account's limit or add credit, then retry the job.",
    "server_error": "It was the vendor's fault: retry the job.",
}


_NAMES: Mapping[str, str] = {"train_accuracy": "train_mean_token_accuracy"}
"""What results files call otherwise than events do."""


def state_of(status: str | None) -> RemoteState:
    """Their word in ours; a new one is unknown."""
    return STATES.get(status or "", RemoteState.UNKNOWN)


def artifact_of(job: Mapping[str, Any]) -> Artifact | None:
    """What a job that succeeded left; None where it names no model."""
    name = job.get("fine_tuned_model")
    if not name:
        return None
    used = effective(job) | {"seed": job.get("seed")}
    return Artifact(
        handle=name, kind="remote", effective=used, trained_tokens=job.get("trained_tokens")
    )


def error_of(job: Mapping[str, Any]) -> JobError | None:
    """Why a job failed, with the vendor's own code."""
    error: Mapping[str, Any] = job.get("error") or {}
    message, code = error.get("message"), error.get("code") or "provider_failed"
    if not message:
        return None
    return JobError(code, message, _HINTS.get(code))


def metrics_of(events: Iterable[Mapping[str, Any]]) -> list[MetricPoint]:
    """What the events of type `metrics` measured, in their order."""
    points = [
        _point(event.get("data"), event.get("created_at"))
        for event in events
        if event.get("type") == "metrics"
    ]
    return [point for point in points if point is not None]


def notices_of(events: Iterable[Mapping[str, Any]]) -> list[Event]:
    """The events that speak to people."""
    return [
        Event("job.notice", {"level": event.get("level"), "message": event.get("message")})
        for event in events
        if event.get("type") != "metrics"
    ]


def progress_of(
    events: Sequence[Mapping[str, Any]], job: Mapping[str, Any], now: float
) -> Progress | None:
    """How far the newest measured step is; None where no new step tells."""
    found = [event for event in events if event.get("type") == "metrics" and event.get("data")]
    if not found:
        return None
    data: Mapping[str, Any] = found[-1]["data"]
    step, total = _whole(data.get("step")), _whole(data.get("total_steps"))
    total = total or _total_in(str(found[-1].get("message")))
    if step is None:
        return None
    finish = job.get("estimated_finish")
    return Progress(
        percent=round(100 * min(step / total, 1.0), 1) if total else 0.0,
        step=step,
        total_steps=total,
        eta_seconds=max(finish - now, 0.0) if finish else None,
    )


def checkpoint_of(row: Mapping[str, Any]) -> Checkpoint:
    """A checkpoint by the name that it can be asked and continued by."""
    at = row.get("created_at")
    name = row["fine_tuned_model_checkpoint"]
    return Checkpoint(row["step_number"], name, at * 1000 if at else None)


def metrics_at(checkpoints: Iterable[Mapping[str, Any]]) -> list[MetricPoint]:
    """What was measured where a checkpoint was saved, the whole validation file included."""
    points = [
        _point(row["metrics"] | {"step": row["step_number"]}, row.get("created_at"))
        for row in checkpoints
        if row.get("metrics")
    ]
    return [point for point in points if point is not None]


def results_of(content: bytes) -> list[MetricPoint]:
    """The table of a results file, which comes as CSV or as CSV in base64."""
    text = _plain(content).decode("utf-8", errors="replace")
    points = (_point(row, None) for row in csv.DictReader(io.StringIO(text)))
    return [point for point in points if point is not None]


def _point(data: Mapping[str, Any] | None, created_at: int | None) -> MetricPoint | None:
    if not data:
        return None
    numbers = {name: _number(value) for name, value in data.items() if name != "total_steps"}
    values = {_NAMES.get(name, name): value for name, value in numbers.items() if value is not None}
    step = values.pop("step", None)
    if step is None or not values:
        return None
    return MetricPoint(int(step), values, at=created_at * 1000 if created_at else None)


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _total_in(message: str) -> int | None:
    """`Step 3/30: ...` tells what the data of the event may leave out."""
    words = message.removeprefix("Step ").partition(":")[0].split("/")
    return int(words[1]) if len(words) == 2 and words[1].isdigit() else None


def _plain(content: bytes) -> bytes:
    if content.startswith(b"step"):
        return content
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return content
