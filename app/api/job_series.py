"""What a job tells over time, over HTTP: events, metrics, checkpoints, its log."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Cursor, Limit, Moment, Out, Page, after, answer, answer_page
from app.api.streams import EVENT_STREAM, decode_whole, event_frame, keep_alive
from app.services.bundle import Services

router = APIRouter(prefix="/jobs", tags=["jobs"])


class EventOut(Out):
    """Something that happened to a job."""

    seq: int
    type: str
    data: dict[str, Any]
    at: Moment


class MetricOut(Out):
    """What was measured at one step."""

    step: int
    epoch: float | None
    values: dict[str, float]
    at: Moment | None


class CheckpointOut(Out):
    """A saved state of the training."""

    step: int
    name: str
    at: Moment | None


class CheckpointsOut(Out):
    """All checkpoints of the current attempt."""

    data: list[CheckpointOut]


class LogOut(Out):
    """A piece of the attempt's log; ask again from `next_offset`."""

    text: str
    next_offset: int


@router.get(
    "/{job_id}/events",
    operation_id="list_job_events",
    summary="List or stream a job's events",
    response_model=Page[EventOut],
    responses=responses(404, 422)
    | {200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
async def list_job_events(
    request: Request,
    use: Use,
    job_id: str,
    limit: Limit = 50,
    cursor: Cursor = None,
    last_event_id: Annotated[
        str | None, Header(description="Where a stream goes on; the last `id` that was seen.")
    ] = None,
) -> Response:
    """Events, oldest first; with `Accept: text/event-stream` as they come, to the job's end."""
    if EVENT_STREAM in request.headers.get("accept", ""):
        start = after(last_event_id or cursor)
        await use.jobs.get(job_id)
        return StreamingResponse(
            _frames(use, job_id, start),
            media_type=EVENT_STREAM,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    events = await use.jobs.events(job_id, after=after(cursor), limit=limit + 1)
    return answer_page(Page[EventOut], events, limit, lambda event: str(event.seq))


@router.get(
    "/{job_id}/metrics",
    operation_id="list_job_metrics",
    summary="List a job's metrics",
    response_model=Page[MetricOut],
    responses=responses(404, 422),
)
async def list_job_metrics(
    use: Use,
    job_id: str,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    cursor: Cursor = None,
) -> Response:
    """The current attempt's series, by step."""
    # A training may tell of step 0, what it measured before it began.
    last_step = -1 if cursor is None else after(cursor)
    points = await use.jobs.metrics(job_id, after=last_step, limit=limit + 1)
    return answer_page(Page[MetricOut], points, limit, lambda point: str(point.step))


@router.get(
    "/{job_id}/checkpoints",
    operation_id="list_job_checkpoints",
    summary="List a job's checkpoints",
    response_model=CheckpointsOut,
    responses=responses(404),
)
async def list_job_checkpoints(use: Use, job_id: str) -> Response:
    """The current attempt's checkpoints, by step."""
    return answer(CheckpointsOut.model_validate({"data": await use.jobs.checkpoints(job_id)}))


@router.get(
    "/{job_id}/logs",
    operation_id="get_job_logs",
    summary="Read a job's log",
    response_model=LogOut,
    responses=responses(404, 409, 422),
)
async def get_job_logs(
    use: Use, job_id: str, offset: Annotated[int, Query(ge=0, le=2**53)] = 0
) -> Response:
    """What the training printed, from a byte offset on."""
    piece, next_offset = await use.jobs.logs(job_id, offset=offset)
    text, unread = decode_whole(piece)
    return answer(LogOut(text=text, next_offset=next_offset - unread))


async def _frames(use: Services, job_id: str, start: int) -> AsyncIterator[bytes]:
    async for events in use.watch.events(job_id, after=start):
        if events is None:
            yield keep_alive()
            continue
        for event in events:
            shown = EventOut.model_validate(event)
            yield event_frame(str(event.seq), event.type, shown.model_dump_json())
