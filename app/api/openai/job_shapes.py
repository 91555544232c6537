"""A fine-tuning job of ours as OpenAI shows one."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from app.api.openai.recipes import shown_hyperparameters, shown_method
from app.api.openai.shapes import Seconds
from app.api.shapes import Out
from app.domain.jobs import Job, JobStatus
from app.domain.naming import ORGANISATION, openai_job_name, openai_name
from app.services.outcomes import Outcome

Status = Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]

# OpenAI publishes no words for what is paused, or waits for a person: such a job goes on later.
_STATUSES: Mapping[JobStatus, Status] = {
    JobStatus.QUEUED: "queued",
    JobStatus.SUBMITTING: "queued",
    JobStatus.RUNNING: "running",
    JobStatus.PAUSING: "running",
    JobStatus.PAUSED: "queued",
    JobStatus.CANCELLING: "running",
    JobStatus.BLOCKED: "queued",
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "cancelled",
}


class JobErrorOut(Out):
    """Why a job failed, or what it waits for."""

    code: str
    message: str
    param: str | None


class FineTuningJobOut(Out):
    """A fine-tuning job."""

    id: str = Field(examples=["ftjob-01k8zq3v6m4y7d2n9h5c0x1b8t"])
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: Seconds
    finished_at: Seconds | None
    estimated_finish: int | None
    model: str
    fine_tuned_model: str | None
    organization_id: str = ORGANISATION
    status: Status
    error: JobErrorOut | None
    training_file: str
    validation_file: str | None
    result_files: list[str]
    hyperparameters: dict[str, Any]
    method: dict[str, Any] = Field(description="As OpenAI's FineTuneMethod.")
    seed: int
    trained_tokens: int | None
    integrations: list[Any] = []
    metadata: dict[str, str]


def shape(job: Job, outcome: Outcome) -> FineTuningJobOut:
    """The job with what it left."""
    tuned = outcome.model
    used = tuned.effective if tuned else {}
    shown = {
        "id": openai_job_name(job.id),
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "estimated_finish": _estimated_finish(job),
        "model": _model(job, outcome),
        "fine_tuned_model": openai_name(tuned) if tuned else None,
        "status": _STATUSES[job.status],
        "error": _error(job),
        "training_file": _training_file(job),
        "validation_file": _validation_file(job),
        "result_files": outcome.results,
        "hyperparameters": shown_hyperparameters(job, used) if job.method.type == "sft" else {},
        "method": shown_method(job, used),
        "seed": job.seed,
        "trained_tokens": tuned.trained_tokens if tuned else None,
        "metadata": job.tags,
    }
    return FineTuningJobOut.model_validate(shown)


def _model(job: Job, outcome: Outcome) -> str:
    if job.parent_model_id is None:
        return f"{job.provider}/{job.base_model}"
    return openai_name(outcome.parent) if outcome.parent else job.parent_model_id


def _training_file(job: Job) -> str:
    """The wire has no null for it; an imported job may have none."""
    if job.files is not None:
        return job.files.training
    return job.dataset.id if job.dataset else ""


def _validation_file(job: Job) -> str | None:
    if job.files is not None:
        return job.files.validation
    return job.validation_dataset.id if job.validation_dataset else None


def _estimated_finish(job: Job) -> int | None:
    progress = job.progress
    if job.status is not JobStatus.RUNNING or progress is None or progress.eta_seconds is None:
        return None
    return round((job.observed_at or job.created_at) / 1000 + progress.eta_seconds)


def _error(job: Job) -> dict[str, Any] | None:
    if job.error is not None:
        hint = f" {job.error.hint}" if job.error.hint else ""
        return {"code": job.error.code, "message": f"{job.error.message}{hint}", "param": None}
    if job.status is JobStatus.BLOCKED:
        return {"code": "blocked", "message": job.status_detail or "It waits.", "param": None}
    return None
