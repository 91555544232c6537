"""What a fine-tuning job tells over time: events and checkpoints, the newest first."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from app.api.dependencies import Use
from app.api.openai.refusals import responses
from app.api.openai.shapes import (
    After,
    EndedListOut,
    Limit,
    ListOut,
    Seconds,
    job_id_of,
)
from app.api.shapes import Out, answer
from app.domain.errors import CursorInvalid
from app.domain.jobs import Checkpoint, Job, MetricPoint, StoredEvent
from app.domain.naming import openai_job_name
from app.domain.results import MOST_POINTS, openai_metrics

router = APIRouter(prefix="/fine_tuning/jobs", tags=["openai"])

_MESSAGES: Mapping[str, str] = {
    "job.submitting": "Sending the files to the provider",
    "job.submitted": "Fine-tuning job started",
    "job.adopted": "Fine-tuning job started",
    "job.paused": "Fine-tuning job paused",
    "job.succeeded": "The job has successfully completed",
    "job.cancelled": "Fine-tuning job cancelled",
    "job.stale": "The provider cannot be reached; the job goes on there",
    "job.checkpoint": "Checkpoint created at step {step}",
    "job.progress": "Step {step}: {percent:g} % done",
}

_LEVELS: Mapping[str, str] = {
    "job.stale": "warn",
    "job.blocked": "warn",
    "job.parked": "warn",
    "job.outcome_unknown": "warn",
    "job.failed": "error",
}

_TOLD_LEVELS: Mapping[str, str] = {"warning": "warn", "warn": "warn", "error": "error"}

_CHECKPOINT_METRICS = frozenset(
    {
        "train_loss",
        "train_mean_token_accuracy",
        "valid_loss",
        "valid_mean_token_accuracy",
        "full_valid_loss",
        "full_valid_mean_token_accuracy",
    }
)


class EventOut(Out):
    """Something that happened to a job."""

    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: Seconds
    level: Literal["info", "warn", "error"]
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, Any]


class CheckpointOut(Out):
    """A state of the training that was saved."""

    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: Seconds
    fine_tuned_model_checkpoint: str
    fine_tuning_job_id: str
    metrics: dict[str, float]
    step_number: int


@router.get(
    "/{job_id}/events",
    operation_id="list_fine_tuning_events",
    summary="List a fine-tuning job's events",
    response_model=ListOut[EventOut],
    responses=responses(400, 404),
)
async def list_fine_tuning_events(
    use: Use, job_id: str, limit: Limit = 20, after: After = None
) -> Response:
    """Messages, and what was measured at each look at the provider."""
    job = await use.jobs.get(job_id_of(job_id))
    # Events are numbered without gaps: the page before one is found by counting down.
    last = job.event_count if after is None else _number_in(after, job, "ftevent") - 1
    first = max(last - limit, 0)
    found = await use.jobs.events(job.id, after=first, limit=last - first) if last > 0 else []
    data = [_event(event) for event in reversed(found)]
    return answer(ListOut[EventOut](data=data, has_more=first > 0))


@router.get(
    "/{job_id}/checkpoints",
    operation_id="list_fine_tuning_checkpoints",
    summary="List a fine-tuning job's checkpoints",
    response_model=EndedListOut[CheckpointOut],
    responses=responses(400, 404),
)
async def list_fine_tuning_checkpoints(
    use: Use,
    job_id: str,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    after: After = None,
) -> Response:
    """Saved states by the provider's own names."""
    job = await use.jobs.get(job_id_of(job_id))
    below = None if after is None else _number_in(after, job, "ftckpt")
    saved = [
        one
        for one in reversed(await use.jobs.checkpoints(job.id))
        if below is None or one.step < below
    ]
    points = await use.jobs.metrics(job.id, after=-1, limit=MOST_POINTS) if saved else []
    data = [_checkpoint(job, one, points) for one in saved[:limit]]
    return answer(
        EndedListOut[CheckpointOut](
            data=data,
            has_more=len(saved) > limit,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
        )
    )


def _event(event: StoredEvent) -> EventOut:
    measured: Mapping[str, float] = event.data.get("metrics") or {}
    data = event.data
    if measured:
        data = {"step": event.data.get("step")} | openai_metrics(measured)
    return EventOut.model_validate(
        {
            "id": _id("ftevent", event.job_id, event.seq),
            "created_at": event.at,
            "level": _level(event),
            "message": _message(event),
            "type": "metrics" if measured else "message",
            "data": data,
        }
    )


def _level(event: StoredEvent) -> str:
    told = str(event.data.get("level"))
    return _TOLD_LEVELS.get(told, _LEVELS.get(event.type, "info"))


def _message(event: StoredEvent) -> str:
    if event.type == "job.created":
        return f"Created fine-tuning job: {openai_job_name(event.job_id)}"
    told = event.data.get("message") or event.data.get("problem")
    if told:
        return str(told)
    words = event.type.removeprefix("job.").replace("_", " ")
    try:
        return _MESSAGES.get(event.type, words.capitalize()).format(**event.data)
    except (KeyError, ValueError, TypeError):
        return words.capitalize()


def _checkpoint(job: Job, saved: Checkpoint, points: Sequence[MetricPoint]) -> CheckpointOut:
    at_step = [point for point in points if point.step == saved.step]
    measured = openai_metrics(at_step[-1].values) if at_step else {}
    metrics = {name: value for name, value in measured.items() if name in _CHECKPOINT_METRICS}
    return CheckpointOut.model_validate(
        {
            "id": _id("ftckpt", job.id, saved.step),
            "created_at": saved.at or job.observed_at or job.created_at,
            "fine_tuned_model_checkpoint": saved.name,
            "fine_tuning_job_id": openai_job_name(job.id),
            "metrics": {"step": saved.step} | metrics,
            "step_number": saved.step,
        }
    )


def _id(prefix: str, job_id: str, number: int) -> str:
    return f"{prefix}-{job_id.removeprefix('job_')}-{number}"


def _number_in(id_: str, job: Job, prefix: str) -> int:
    """The number at the end of an id of this job's; raises `CursorInvalid`."""
    start, _, number = id_.rpartition("-")
    is_whole = number.isascii() and number.isdecimal() and len(number) <= 10
    if start != f"{prefix}-{job.id.removeprefix('job_')}" or not is_whole:
        raise CursorInvalid(f"This job has no {id_!r}.")
    return int(number)
