"""The jobs of the account, and what can be asked of them."""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.conditions import shown
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.frame.jobs import PacedJobs
from app.sandbox.frame.listing import Listing
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.files import Files
from app.sandbox.openai.hyperparameters import chosen, grader_of
from app.sandbox.openai.job import Job
from app.sandbox.openai.machine import Machine
from app.sandbox.openai.models import BASES, Models
from app.sandbox.openai.paging import page, with_ends

SEEDS = 2**31
MOST_METADATA = 16


class Jobs(PacedJobs[Job, Conditions]):
    """All jobs, the oldest first."""

    def __init__(
        self,
        files: Files,
        models: Models,
        machine: Machine,
        conditions: Conditions,
        clock: Clock,
        kind: type[Job],
    ) -> None:
        super().__init__(conditions, clock)
        self._files = files
        self._models = models
        self._machine = machine
        self._kind = kind
        self._listing = Listing(clock)

    def create(self, asked: Asked) -> Reply:
        """POST /fine_tuning/jobs"""
        job = self._new(asked.body)
        self.all[job.id] = job
        self._listing.add(job.id)
        job.tell(job.created_at, f"Created fine-tuning job: {job.id}")
        return self._reply(job)

    def list(self, asked: Asked) -> Reply:
        """GET /fine_tuning/jobs"""
        listed = self._listing.shown(self.all, self._conditions.listing_lag)
        jobs = [self.all[job_id] for job_id in reversed(listed)]
        shapes = [self._shape(job) for job in jobs if _matches(job, asked.query)]
        return Reply.of(page(shapes, asked.query, default=20))

    def retrieve(self, asked: Asked) -> Reply:
        """GET /fine_tuning/jobs/{fine_tuning_job_id}"""
        job = self._named(asked)
        self.look(job)
        return self._reply(job)

    def pause(self, asked: Asked) -> Reply:
        """POST …/pause"""
        return self._steer(asked, self._machine.pause)

    def resume(self, asked: Asked) -> Reply:
        """POST …/resume"""
        return self._steer(asked, self._machine.resume)

    def cancel(self, asked: Asked) -> Reply:
        """POST …/cancel"""
        return self._steer(asked, self._machine.cancel)

    def events(self, asked: Asked) -> Reply:
        """GET …/events, the newest first"""
        return Reply.of(page(self._named(asked).events[::-1], asked.query, default=20))

    def checkpoints(self, asked: Asked) -> Reply:
        """GET …/checkpoints, the newest first"""
        listed = page(self._named(asked).checkpoints[::-1], asked.query, default=10)
        return Reply.of(with_ends(listed, None))

    def beat(self, job: Job) -> None:
        """One step of the way."""
        self._machine.beat(job)

    def fail(self, job_id: str, code: str, message: str) -> None:
        """Let a job fail at the vendor's."""
        self._machine.fail(self.all[job_id], code, message)

    def creations(self, key: str) -> Counter[str]:
        """How many jobs were created for each value that metadata has under a key."""
        tagged = (job.metadata for job in self.all.values() if job.metadata)
        return Counter(metadata[key] for metadata in tagged if key in metadata)

    def _new(self, body: Mapping[str, Any]) -> Job:
        self._require_open()
        method, hyperparameters = chosen(body)
        base = self._models.base_of(body["model"])
        if method not in BASES[base][0]:
            raise Refused(
                400, f"{body['model']} cannot be tuned by the {method} method", param="method"
            )
        self._files.for_training(body["training_file"], "training_file")
        if body.get("validation_file"):
            self._files.for_training(body["validation_file"], "validation_file")
        now = self._clock.now()
        return self._kind(
            model=body["model"],
            base=base,
            method=method,
            hyperparameters=hyperparameters,
            grader=grader_of(body),
            training_file=body["training_file"],
            validation_file=body.get("validation_file"),
            created_at=int(now),
            beat_at=now,
            seed=secrets.randbelow(SEEDS) if body.get("seed") is None else body["seed"],
            suffix=_suffix(body.get("suffix")),
            metadata=_metadata(body.get("metadata")),
            integrations=body.get("integrations"),
        )

    def _steer(self, asked: Asked, act: Callable[[Job], None]) -> Reply:
        job = self._named(asked)
        act(job)
        return self._reply(job)

    def _require_open(self) -> None:
        closed = self._conditions.closed
        if closed is not None:
            raise Refused(closed.status, closed.message, code=closed.code)

    def _named(self, asked: Asked) -> Job:
        job_id = asked.names["fine_tuning_job_id"]
        if job_id not in self.all:
            raise Refused(
                404,
                f"Could not find fine tune: {job_id}",
                code="fine_tune_not_found",
                param="fine_tune_id",
            )
        return self.all[job_id]

    def _reply(self, job: Job) -> Reply:
        return Reply.of(self._shape(job))

    def _shape(self, job: Job) -> dict[str, Any]:
        return job.shape(shown(self._conditions.shown_status, job.id))


def _matches(job: Job, query: Mapping[str, Any]) -> bool:
    """Whether a job has all that a list's filter names; `metadata=null` means: has none."""
    wanted = query.get("metadata", {})
    if wanted is None:
        return not job.metadata
    return all((job.metadata or {}).get(key) == value for key, value in wanted.items())


def _suffix(suffix: str | None) -> str | None:
    if suffix is not None and not 1 <= len(suffix) <= 64:
        raise Refused(400, "suffix must have 1 to 64 characters", param="suffix")
    return suffix


def _metadata(metadata: Mapping[str, str] | None) -> Mapping[str, str] | None:
    if metadata is None:
        return None
    if len(metadata) > MOST_METADATA or any(
        len(key) > 64 or len(value) > 512 for key, value in metadata.items()
    ):
        raise Refused(
            400,
            "metadata takes 16 pairs, keys of 64 and values of 512 characters",
            param="metadata",
        )
    return metadata
