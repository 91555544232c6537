"""An import: what was found at a provider, and what became of it here."""

from enum import StrEnum

import msgspec

from app.domain.datasets import DatasetRef
from app.domain.errors import Fault
from app.domain.jobs import Event, Job, JobStatus, Millis
from app.domain.models import TunedModel
from app.domain.provider import FoundJob, FoundModel, RemoteState


class Kind(StrEnum):
    """What can be imported."""

    JOBS = "jobs"
    FILES = "files"
    MODELS = "models"


class Adopted(msgspec.Struct, frozen=True):
    """One thing: its id here and at the provider."""

    id: str
    remote: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that could not be taken over, and why."""

    kind: Kind
    remote: str
    name: str | None = None
    code: str
    message: str
    faults: tuple[Fault, ...] = ()


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What became of everything that was found; `left` waits for the next import."""

    jobs: list[Adopted] = []
    files: list[Adopted] = []
    models: list[Adopted] = []
    known: dict[Kind, int] = {}
    """How much was here already."""

    refused: list[Refused] = []
    left: int = 0


def adopted_job(
    found: FoundJob,
    *,
    id: str,
    provider: str,
    training: DatasetRef | None,
    validation: DatasetRef | None,
    now: Millis,
) -> tuple[Job, Event]:
    """The job as if it had just been submitted: a look at the provider does the rest.

    One whose model is gone has nothing left to look for, and has succeeded all the same.
    """
    is_gone = found.state is RemoteState.SUCCEEDED and found.artifact is None
    job = Job(
        id=id,
        name=found.name,
        provider=provider,
        base_model=found.base_model,
        dataset=training,
        validation_dataset=validation,
        method=found.method,
        seed=found.seed,
        status=JobStatus.SUCCEEDED if is_gone else JobStatus.RUNNING,
        status_detail="The tuned model was deleted at the provider." if is_gone else None,
        remote=found.remote,
        event_count=1,
        created_at=now,
        started_at=found.created_at,
        # Known before the look that finds the end: it is when it was, not when it was seen.
        finished_at=found.finished_at,
    )
    return job, Event("job.imported", {"remote_id": found.remote.id})


def adopted_model(
    found: FoundModel,
    maker: FoundJob | None,
    *,
    id: str,
    provider: str,
    training: DatasetRef | None,
    now: Millis,
) -> TunedModel:
    """The model, as far as is known how it came about."""
    return TunedModel(
        id=id,
        name=found.name,
        provider=provider,
        base_model=maker.base_model if maker else found.base_model,
        parent_model_id=None,
        job_id=None,
        dataset=training,
        method=maker.method if maker else None,
        effective=maker.method.hyperparameters if maker else {},
        kind="remote",
        artifact=found.artifact,
        sha256=None,
        trained_tokens=None,
        created_at=now,
    )
