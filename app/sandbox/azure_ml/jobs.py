"""The workspace's jobs: put under the name that the caller chose, moved on, steered."""

from collections import Counter
from typing import Any
from urllib.parse import unquote

from app.sandbox.azure_ml.conditions import Conditions
from app.sandbox.azure_ml.data import Data
from app.sandbox.azure_ml.identity import workspace_id
from app.sandbox.azure_ml.job import Job, spelled
from app.sandbox.azure_ml.lines import FileInvalid, check
from app.sandbox.azure_ml.models import Models
from app.sandbox.azure_ml.storage import Storage
from app.sandbox.frame.clock import Clock
from app.sandbox.frame.conditions import shown
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.frame.jobs import PacedJobs

_CHANGEABLE = ("tags", "description", "displayName", "isArchived")
"""What another put of the same name changes; the rest stays."""

_BEFORE = ("NotStarted", "Preparing", "Queued", "Running")


class Jobs(PacedJobs[Job, Conditions]):
    """All jobs by name, the oldest first."""

    def __init__(
        self,
        storage: Storage,
        data: Data,
        models: Models,
        conditions: Conditions,
        clock: Clock,
    ) -> None:
        super().__init__(conditions, clock)
        self._storage = storage
        self._data = data
        self._models = models
        self.creations: Counter[str] = Counter()

    def put(self, asked: Asked) -> Reply:
        """PUT …/jobs/{id}: 201 for a new one, 200 for one that is there."""
        name, given = unquote(asked.names["id"]), asked.body["properties"]
        if name in self.all:
            there = self.all[name]
            there.given |= {key: given[key] for key in _CHANGEABLE if key in given}
            return Reply.of(self._shape(there))
        self._require_compute(given)
        now = self._clock.now()
        home = f"{workspace_id(asked.names)}/jobs/{name}"
        url = f"https://ml.azure.com/runs/{name}?wsid={workspace_id(asked.names)}"
        job = Job(name=name, id=home, given=spelled(given), created_at=now, beat_at=now, url=url)
        self.all[name] = job
        self.creations[name] += 1
        return Reply.of(self._shape(job), status=201)

    def get(self, asked: Asked) -> Reply:
        """GET …/jobs/{id}"""
        job = self._named(asked)
        self.look(job)
        return Reply.of(self._shape(job))

    def list(self, asked: Asked) -> Reply:
        """GET …/jobs, the newest first, a page at a time"""
        skipped = int(asked.query.get("$skip", 0))
        end = skipped + self._conditions.page_size
        jobs = list(reversed(self.all.values()))
        page: dict[str, Any] = {"value": [self._shape(job) for job in jobs[skipped:end]]}
        if end < len(jobs):
            here = f"http://{asked.headers['host']}{asked.path}"
            version = asked.query["api-version"]
            page["nextLink"] = f"{here}?api-version={version}&$skip={end}"
        return Reply.of(page)

    def cancel(self, asked: Asked) -> Reply:
        """POST …/jobs/{id}/cancel; one that is over stays as it is"""
        job = self._named(asked)
        if not job.is_over:
            job.status = "CancelRequested" if self._conditions.cancels_slowly else "Canceled"
        return Reply.empty()

    def details(self, asked: Asked) -> Reply:
        """GET /history/v1.0/…/runs/{id}/details: what the run history keeps, reasons above all"""
        job = self._named(asked)
        told: dict[str, Any] = {"runId": job.name, "status": job.status}
        if job.reason is not None:
            told["error"] = {"error": {"code": "UserError", "message": job.reason}}
        return Reply.of(told)

    def beat(self, job: Job) -> None:
        """One step of the way."""
        match job.status:
            case "NotStarted" | "Preparing":
                job.status = _BEFORE[_BEFORE.index(job.status) + 1]
            case "Queued":
                self._start(job)
            case "Running":
                job.beats += 1
                if job.beats >= self._conditions.training_beats:
                    self._complete(job)
            case "CancelRequested":
                job.status = "Canceled"
            case _:
                pass

    def fail(self, name: str, reason: str) -> None:
        """Let a job fail, for a reason that only the run history tells."""
        job = self.all[name]
        job.status, job.reason = "Failed", reason

    def _start(self, job: Job) -> None:
        job.status = "Running"
        if job.details is None:
            return
        for which in ("trainingData", "validationData"):
            data = job.details.get(which)
            try:
                if data is not None:
                    self._check(data["uri"])
            except FileInvalid as invalid:
                self.fail(job.name, str(invalid))

    def _check(self, address: str) -> None:
        content = self._storage.read(self._data.address(address))
        if content is None:
            raise FileInvalid(f"{address} cannot be found.")
        check(content)

    def _complete(self, job: Job) -> None:
        job.status = "Completed"
        for output in (job.given.get("outputs") or {}).values():
            if output.get("assetName"):
                self._models.register(output, job)

    def _require_compute(self, given: dict[str, Any]) -> None:
        compute = str(given.get("computeId", "")).rpartition("/")[2]
        if compute not in self._conditions.computes:
            raise Refused(400, f"Compute {compute!r} was not found.", code="ComputeNotFound")

    def _named(self, asked: Asked) -> Job:
        name = unquote(asked.names["id"])
        if name not in self.all:
            raise Refused(404, f"Job {name} was not found.", code="UserError")
        return self.all[name]

    def _shape(self, job: Job) -> dict[str, Any]:
        return job.shape(shown(self._conditions.shown_status, job.name))
