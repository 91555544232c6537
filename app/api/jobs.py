"""Jobs over HTTP: create, watch, steer."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import (
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
)

from app.api.dependencies import Use, services
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.job_wishes import JobFromCardIn, JobWish, repeated, wanted
from app.api.problems import responses
from app.api.shapes import (
    Cursor,
    Limit,
    Moment,
    Out,
    Page,
    Usd,
    answer,
    answer_page,
    before,
    millis,
)
from app.domain.jobs import Job, JobFilter, JobStatus

router = APIRouter(prefix="/jobs", tags=["jobs"])


class DatasetRefOut(Out):
    """Which dataset version."""

    id: str
    name: str
    version: int


class MethodOut(Out):
    """How it trains."""

    type: str
    hyperparameters: dict[str, Any]


class ProgressOut(Out):
    """How far it is."""

    percent: float
    step: int | None
    total_steps: int | None
    epoch: float | None
    eta_seconds: float | None


class RemoteOut(Out):
    """The job at its provider."""

    id: str
    status: str | None
    url: str | None


class ErrorOut(Out):
    """Why it failed and what to do."""

    code: str
    message: str
    hint: str | None


class AttemptOut(Out):
    """One try."""

    number: int
    status: JobStatus
    remote: RemoteOut | None
    error: ErrorOut | None
    started_at: Moment | None
    finished_at: Moment | None


class JobCostOut(Out):
    """US dollars for the training; null where the price list does not say."""

    quoted_usd: Usd | None = Field(description="At the most, when it was created.")
    quoted_low_usd: Usd | None
    budget_usd: Usd | None
    actual_usd: Usd | None = Field(
        description="By the price list, once it has ended and that is known."
    )


class PromotionOut(Out):
    """Which alias is to mean the model."""

    alias: str


def _as_promotion(stored: Any) -> Any:
    return {"alias": stored} if isinstance(stored, str) else stored


Promotion = Annotated[PromotionOut, BeforeValidator(_as_promotion)]


class JobOut(Out):
    """A fine-tuning job."""

    id: str = Field(examples=["job_01m83e5h8gwajxdy5wzxkfa82z"])
    name: str | None
    provider: str
    base_model: str
    parent_model: str | None = Field(validation_alias="parent_model_id")
    dataset: DatasetRefOut | None = Field(
        description="Null for a job that was imported without its file."
    )
    validation_dataset: DatasetRefOut | None
    validation_split: float | None
    method: MethodOut
    seed: int
    status: JobStatus
    desired: str
    stale: bool = Field(
        validation_alias="is_stale",
        description="The provider could not be reached since `observed_at`.",
    )
    status_detail: str | None
    progress: ProgressOut | None
    metrics: dict[str, float] = Field(description="The latest values.")
    remote: RemoteOut | None
    tuned_model: str | None = Field(validation_alias="tuned_model_id")
    migrated_from: str | None = Field(description="The tuned model that this one makes anew.")
    promote: Promotion | None
    cost: JobCostOut
    error: ErrorOut | None
    attempts: list[AttemptOut] = Field(
        validation_alias="all_attempts", description="Oldest first; the last is the current one."
    )
    tags: dict[str, str]
    revision: int
    observed_at: Moment | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


_SECONDS = TypeAdapter[float](Annotated[float, Field(ge=0, le=60)])

_WAIT_PARAMETER = {
    "name": "wait",
    "in": "query",
    "required": False,
    "description": "Hold the answer until a change, so many seconds.",
    "schema": _SECONDS.json_schema() | {"default": 0},
}

_IF_NONE_MATCH_PARAMETER = {
    "name": "if-none-match",
    "in": "header",
    "required": False,
    "description": "An `ETag`: the answer is 304 while the job has not changed since.",
    "schema": {"type": "string"},
}


@router.post(
    "",
    operation_id="create_job",
    summary="Create a fine-tuning job",
    status_code=201,
    response_model=JobOut,
    responses=responses(400, 404, 409, 422),
)
async def create_job(use: Use, body: JobWish, key: KeyHeader = None) -> Response:
    """Queue a job. Everything that can be known to be wrong is refused here.

    With `card` in place of a base model and a dataset it is the job that the card tells of.
    """
    promised = key_for("create_job", key, body)
    if isinstance(body, JobFromCardIn):
        created = await use.repeating.create(repeated(body), promised)
    else:
        created = await use.jobs.create(wanted(body), promised)
    headers = {"Location": f"/jobs/{created.thing.id}", "ETag": _etag(created.thing)}
    return answer(
        JobOut.model_validate(created.thing),
        status=201,
        headers=headers | replay_headers(created.is_replay),
    )


@router.get(
    "",
    operation_id="list_jobs",
    summary="List jobs",
    response_model=Page[JobOut],
    responses=responses(422),
)
async def list_jobs(
    use: Use,
    status: JobStatus | None = None,
    provider: str | None = None,
    tag: Annotated[
        str | None,
        Query(pattern=r"^[^:\s\"\\]+:.*$", description="`key:value`", examples=["team:care"]),
    ] = None,
    created_after: datetime | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Jobs, newest first."""
    wanted = JobFilter(
        status=status,
        provider=provider,
        tags=_tags(tag),
        created_after=None if created_after is None else millis(created_after),
    )
    found = await use.jobs.list_page(wanted, before=before(cursor), limit=limit + 1)
    return answer_page(Page[JobOut], found, limit, lambda job: job.id)


@router.get(
    "/{job_id}",
    operation_id="get_job",
    summary="Get a job",
    response_model=JobOut,
    responses=responses(404, 422) | {304: {"description": "Not changed since the ETag."}},
    openapi_extra={"parameters": [_WAIT_PARAMETER, _IF_NONE_MATCH_PARAMETER]},
)
async def get_job(request: Request, job_id: str) -> Response:
    """A job as it is known here; no provider is asked."""
    # Read by hand: it is the route that is asked most, and FastAPI's reading of the same
    # parameters took a quarter of its time.
    use, wait = await services(request), _wait_of(request)
    if_none_match = request.headers.get("if-none-match")
    job = await use.jobs.get(job_id)
    is_known = _matches(if_none_match, job)
    if wait and (is_known or if_none_match is None):
        job = await use.watch.until_changed(job, seconds=wait)
        is_known = _matches(if_none_match, job)
    if is_known:
        return Response(status_code=304, headers={"ETag": _etag(job)})
    return answer(JobOut.model_validate(job), headers={"ETag": _etag(job)})


@router.post(
    "/{job_id}/cancel",
    operation_id="cancel_job",
    summary="Cancel a job",
    status_code=202,
    response_model=JobOut,
    responses=responses(404, 409),
)
async def cancel_job(use: Use, job_id: str) -> Response:
    """Ask for the end; the job says when it came."""
    return answer(JobOut.model_validate(await use.jobs.cancel(job_id)), status=202)


@router.post(
    "/{job_id}/pause",
    operation_id="pause_job",
    summary="Pause a job",
    status_code=202,
    response_model=JobOut,
    responses=responses(404, 409),
)
async def pause_job(use: Use, job_id: str) -> Response:
    """Ask for a pause, where the provider offers it."""
    return answer(JobOut.model_validate(await use.jobs.pause(job_id)), status=202)


@router.post(
    "/{job_id}/resume",
    operation_id="resume_job",
    summary="Resume a job",
    status_code=202,
    response_model=JobOut,
    responses=responses(404, 409),
)
async def resume_job(use: Use, job_id: str) -> Response:
    """Ask a paused job to go on."""
    return answer(JobOut.model_validate(await use.jobs.resume(job_id)), status=202)


@router.post(
    "/{job_id}/retry",
    operation_id="retry_job",
    summary="Retry a job",
    status_code=202,
    response_model=JobOut,
    responses=responses(404, 409),
)
async def retry_job(use: Use, job_id: str) -> Response:
    """Begin a new attempt of a job that failed, was cancelled or is blocked."""
    return answer(JobOut.model_validate(await use.jobs.retry(job_id)), status=202)


def _wait_of(request: Request) -> float:
    given = request.query_params.get("wait")
    if given is None:
        return 0.0
    try:
        return _SECONDS.validate_python(given)
    except ValidationError as error:
        raise RequestValidationError(
            [wrong | {"loc": ("query", "wait")} for wrong in error.errors(include_url=False)]
        ) from error


def _tags(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    key, _, value = text.partition(":")
    return {key: value}


def _etag(job: Job) -> str:
    return f'"{job.id}.{job.revision}"'


def _matches(if_none_match: str | None, job: Job) -> bool:
    if if_none_match is None:
        return False
    given = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return _etag(job) in given or "*" in given
