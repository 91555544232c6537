"""Fine-tuning jobs: create, list, watch, steer."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, JsonValue

from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.openai.job_shapes import FineTuningJobOut, shape
from app.api.openai.recipes import MethodIn, Values, method_of
from app.api.openai.refusals import responses
from app.api.openai.shapes import After, Limit, ListOut, after_job, job_id_of
from app.api.shapes import In, answer
from app.domain.errors import Fault, Invalid
from app.domain.jobs import Job, JobFiles, JobFilter
from app.services.bundle import Services
from app.services.preparing import MAX_SEED, WantedJob

router = APIRouter(prefix="/fine_tuning/jobs", tags=["openai"])

Key = Annotated[str, Field(min_length=1, max_length=64, pattern=r'^[^"\\\]]+$')]
Metadata = Annotated[
    dict[Key, Annotated[str, Field(max_length=512)]],
    Field(max_length=16, description="Up to 16 pairs to find the job by."),
]

_METADATA = re.compile(r"metadata\[([^\]\"\\]{1,64})\]")

METADATA_PARAMETER = {
    "name": "metadata",
    "in": "query",
    "required": False,
    "style": "deepObject",
    "explode": True,
    "description": "`metadata[key]=value`; `metadata=null` for jobs without any.",
    "schema": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
}


class FineTuningJobIn(In):
    """What to fine-tune, with what, and how."""

    model: str = Field(
        min_length=1,
        max_length=500,
        description="`provider/base_model`, a base model that one configured provider lists, or "
        "a tuned model to continue from.",
        examples=["local/luthier-tiny"],
    )
    training_file: str = Field(
        description="A file's id; also a dataset's id, `name` or `name@3`.",
        examples=["file-01k8zq3v6m4y7d2n9h5c0x1b8t"],  # pragma: allowlist secret
    )
    validation_file: str | None = None
    method: MethodIn | None = None
    hyperparameters: Values
    suffix: str | None = Field(default=None, min_length=1, max_length=64)
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    metadata: Metadata | None = None
    integrations: list[JsonValue] | None = Field(
        default=None, description="None are offered here; a list with any is refused."
    )


@router.post(
    "",
    operation_id="create_fine_tuning_job",
    summary="Create a fine-tuning job",
    response_model=FineTuningJobOut,
    responses=responses(400, 404),
)
async def create_fine_tuning_job(
    use: Use, body: FineTuningJobIn, key: KeyHeader = None
) -> Response:
    """Queue a job. Everything that can be known to be wrong is refused here."""
    if body.integrations:
        told = "There are no integrations here; read metrics from events or the results file."
        raise Invalid(told, faults=[Fault("integration_unknown", told, "/integrations")])
    wanted = await _wanted(use, body)
    created = await use.jobs.create(wanted, key_for("openai_job", key, body))
    return await _answer(use, created.thing, headers=replay_headers(created.is_replay))


@router.get(
    "",
    operation_id="list_fine_tuning_jobs",
    summary="List fine-tuning jobs",
    response_model=ListOut[FineTuningJobOut],
    responses=responses(400, 404),
    openapi_extra={"parameters": [METADATA_PARAMETER]},
)
async def list_fine_tuning_jobs(
    request: Request, use: Use, limit: Limit = 20, after: After = None
) -> Response:
    """Jobs, the newest first, however they were created."""
    wanted = JobFilter(tags=_tags(request))
    found = await use.jobs.list_page(wanted, before=after_job(after), limit=limit + 1)
    outcomes = await use.outcomes.of(found[:limit])
    data = [shape(job, outcomes[job.id]) for job in found[:limit]]
    return answer(ListOut[FineTuningJobOut](data=data, has_more=len(found) > limit))


@router.get(
    "/{job_id}",
    operation_id="get_fine_tuning_job",
    summary="Get a fine-tuning job",
    response_model=FineTuningJobOut,
    responses=responses(404),
)
async def get_fine_tuning_job(use: Use, job_id: str) -> Response:
    """A job as it is known here; no provider is asked."""
    return await _answer(use, await use.jobs.get(job_id_of(job_id)))


@router.post(
    "/{job_id}/cancel",
    operation_id="cancel_fine_tuning_job",
    summary="Cancel a fine-tuning job",
    response_model=FineTuningJobOut,
    responses=responses(400, 404),
)
async def cancel_fine_tuning_job(use: Use, job_id: str) -> Response:
    """Ask for the end; the job says when it came."""
    return await _answer(use, await use.jobs.cancel(job_id_of(job_id)))


@router.post(
    "/{job_id}/pause",
    operation_id="pause_fine_tuning_job",
    summary="Pause a fine-tuning job",
    response_model=FineTuningJobOut,
    responses=responses(400, 404),
)
async def pause_fine_tuning_job(use: Use, job_id: str) -> Response:
    """Ask for a pause, where the provider offers it."""
    return await _answer(use, await use.jobs.pause(job_id_of(job_id)))


@router.post(
    "/{job_id}/resume",
    operation_id="resume_fine_tuning_job",
    summary="Resume a fine-tuning job",
    response_model=FineTuningJobOut,
    responses=responses(400, 404),
)
async def resume_fine_tuning_job(use: Use, job_id: str) -> Response:
    """Ask a paused job to go on."""
    return await _answer(use, await use.jobs.resume(job_id_of(job_id)))


async def _answer(use: Services, job: Job, headers: dict[str, str] | None = None) -> Response:
    outcomes = await use.outcomes.of([job])
    return answer(shape(job, outcomes[job.id]), headers=headers)


async def _wanted(use: Services, body: FineTuningJobIn) -> WantedJob:
    model = await use.names.resolve(body.model)
    dataset = await use.files.dataset_of(body.training_file, pointer="/training_file")
    validation = body.validation_file and await use.files.dataset_of(
        body.validation_file, pointer="/validation_file"
    )
    return WantedJob(
        provider=model.provider,
        base_model=model.model_id or model.base_model,
        dataset=dataset,
        validation_dataset=validation,
        validation_split=None,
        method=method_of(body.method, body.hyperparameters),
        name=body.suffix,
        seed=body.seed,
        tags=body.metadata or {},
        budget_usd=None,
        evaluate=None,
        files=JobFiles(body.training_file, body.validation_file),
    )


def _tags(request: Request) -> dict[str, str] | None:
    """What a list is narrowed to; an empty mapping is for jobs without any."""
    tags: dict[str, str] = {}
    asked: list[tuple[str, Any]] = request.query_params.multi_items()
    for name, value in asked:
        if name == "metadata" and value in ("null", ""):
            return {}
        match = _METADATA.fullmatch(name)
        if match:
            tags[match[1]] = value
        elif name.startswith("metadata"):
            told = "Filter with metadata[key]=value, or metadata=null."
            raise Invalid(told, faults=[Fault("invalid_value", told, "/metadata")])
    return tags or None
