"""Between the run folder's words and ours: plain values in, plain values out."""

from collections.abc import Sequence

import msgspec

from app.domain.jobs import Checkpoint, Event, JobError, MetricPoint, Progress, Remote
from app.domain.provenance import BaseSnapshot
from app.domain.provider import Artifact, Observation, RemoteState
from app.providers.local.records import (
    AnyEvent,
    CheckpointEvent,
    MetricsEvent,
    NoticeEvent,
    PhaseEvent,
    RunResult,
)

LOOK_EVERY_SECONDS = 1.0


class Cursor(msgspec.Struct, frozen=True):
    """How far a run's events were read, and how its trainers fared until then."""

    offset: int = 0
    best_step: int = 0
    launches_at_progress: int = 0
    progress: Progress | None = None
    phase: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        return cls() if text is None else msgspec.json.decode(text, type=cls)

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()


def advance(cursor: Cursor, events: Sequence[AnyEvent], *, offset: int, launches: int) -> Cursor:
    """The cursor after these events."""
    phases = [event.phase for event in events if isinstance(event, PhaseEvent)]
    cursor = msgspec.structs.replace(
        cursor, offset=offset, phase=phases[-1] if phases else cursor.phase
    )
    latest = _latest_metrics(events)
    if latest is None:
        return cursor
    is_ahead = latest.step > cursor.best_step
    return msgspec.structs.replace(
        cursor,
        best_step=max(latest.step, cursor.best_step),
        launches_at_progress=launches if is_ahead else cursor.launches_at_progress,
        progress=_progress(latest),
    )


def observation(
    state: RemoteState,
    key: str,
    events: Sequence[AnyEvent],
    cursor: Cursor,
    *,
    detail: str | None = None,
    look_again_in: float = LOOK_EVERY_SECONDS,
    result: RunResult | None = None,
) -> Observation:
    """What one look at a run folder says."""
    return Observation(
        state=state,
        remote=Remote(id=key, status=cursor.phase),
        look_again_in=look_again_in,
        detail=detail,
        progress=cursor.progress,
        metrics=[_point(event) for event in events if isinstance(event, MetricsEvent)],
        checkpoints=[
            Checkpoint(event.step, event.path, event.at)
            for event in events
            if isinstance(event, CheckpointEvent)
        ],
        events=[_told(event) for event in events if isinstance(event, PhaseEvent | NoticeEvent)],
        cursor=str(cursor),
        artifact=_artifact(key, result),
        error=_error(result),
    )


def state_of(result: RunResult) -> RemoteState:
    """The end that a result tells of."""
    return {
        "succeeded": RemoteState.SUCCEEDED,
        "failed": RemoteState.FAILED,
        "cancelled": RemoteState.CANCELLED,
    }[result.outcome]


def _artifact(key: str, result: RunResult | None) -> Artifact | None:
    if result is None or result.artifact is None:
        return None
    return Artifact(
        handle=f"{key}/{result.artifact.path}",
        kind=result.artifact.kind,
        effective=result.effective | {"versions": result.versions},
        base=_base(result),
        trained_tokens=result.tokens,
        sha256=result.weights_sha256,
    )


def _base(result: RunResult) -> BaseSnapshot | None:
    found = result.base
    return None if found is None else BaseSnapshot(revision=found.revision, sha256=found.sha256)


def _error(result: RunResult | None) -> JobError | None:
    if result is None or result.error is None:
        return None
    return JobError(result.error.code, result.error.message, result.error.hint)


def _latest_metrics(events: Sequence[AnyEvent]) -> MetricsEvent | None:
    return next((event for event in reversed(events) if isinstance(event, MetricsEvent)), None)


def _progress(event: MetricsEvent) -> Progress:
    share = event.step / event.total_steps if event.total_steps else 0.0
    return Progress(
        percent=round(100 * min(share, 1.0), 1),
        step=event.step,
        total_steps=event.total_steps,
        epoch=event.epoch,
        eta_seconds=event.eta_seconds,
    )


def _point(event: MetricsEvent) -> MetricPoint:
    return MetricPoint(event.step, event.values, event.epoch, event.at)


def _told(event: PhaseEvent | NoticeEvent) -> Event:
    if isinstance(event, PhaseEvent):
        return Event("job.phase", {"phase": event.phase} | _said(event.message))
    return Event("job.notice", {"level": event.level} | _said(event.message))


def _said(message: str | None) -> dict[str, str]:
    return {} if message is None else {"message": message}
