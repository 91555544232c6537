"""The tuning jobs of the project, and what can be asked of them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from google.cloud import aiplatform_v1 as v1

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.conditions import shown
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.frame.jobs import PacedJobs
from app.sandbox.frame.listing import Listing
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.identity import new_number, parent
from app.sandbox.vertex.job import Job
from app.sandbox.vertex.machine import Machine
from app.sandbox.vertex.messages import camel, numbered, plain
from app.sandbox.vertex.registry import Registry
from app.sandbox.vertex.storage import Storage

LONGEST_LABEL = 63
MOST_NAME = 128


class Jobs(PacedJobs[Job, Conditions]):
    """All jobs, the oldest first."""

    def __init__(
        self, storage: Storage, registry: Registry, conditions: Conditions, clock: Clock
    ) -> None:
        super().__init__(conditions, clock)
        self._storage = storage
        self._registry = registry
        self._machine = Machine(storage, registry, conditions, clock)
        self._listing = Listing(clock)

    def create(self, asked: Asked) -> Reply:
        """POST /tuningJobs"""
        job = self._new(asked)
        self.all[job.name] = job
        self._listing.add(job.name)
        return self._reply(job, asked)

    def list(self, asked: Asked) -> Reply:
        """GET /tuningJobs, the newest first"""
        listed = self._listing.shown(self.all, self._conditions.listing_lag)
        jobs = [self.all[name] for name in reversed(listed)]
        wanted = [job for job in jobs if self._is_wanted(job, asked.query.get("filter"))]
        start = int(asked.query.get("pageToken", 0))
        end = start + int(asked.query.get("pageSize", 100))
        page: dict[str, Any] = {"tuningJobs": [self._shape(job) for job in wanted[start:end]]}
        if end < len(wanted):
            page["nextPageToken"] = str(end)
        return Reply.of(_spelled(page, asked, v1.ListTuningJobsResponse))

    def get(self, asked: Asked) -> Reply:
        """GET /tuningJobs/{tuningJobsId}"""
        job = self._named(asked)
        self.look(job)
        return self._reply(job, asked)

    def cancel(self, asked: Asked) -> Reply:
        """POST /tuningJobs/{tuningJobsId}:cancel"""
        self._machine.cancel(self._named(asked))
        return Reply.of({})

    def beat(self, job: Job) -> None:
        """One step of the way."""
        self._machine.beat(job)

    def fail(self, name: str, message: str) -> None:
        """Let a job fail at Google."""
        self._machine.fail(self.all[name], 13, message)

    def creations(self, label: str) -> Counter[str]:
        """How many jobs were created for each value of a label."""
        labels = (job.asked.get("labels", {}) for job in self.all.values())
        return Counter(each[label] for each in labels if label in each)

    def _new(self, asked: Asked) -> Job:
        body = _camel(asked)
        self._check(body)
        now = self._clock.now()
        job = Job(
            name=f"{parent(asked.names['locationsId'])}/tuningJobs/{new_number()}",
            asked=body,
            epochs=self._conditions.epochs,
            created_at=now,
            beat_at=now,
        )
        parameters = job.spec.get("hyperParameters", {})
        job.epochs = int(parameters.get("epochCount", self._conditions.epochs))
        return job

    def _check(self, body: Mapping[str, Any]) -> None:
        specs = [name for name in body if name.endswith("Spec") and name != "encryptionSpec"]
        if specs not in (["supervisedTuningSpec"], ["preferenceOptimizationSpec"]):
            raise Refused(400, "Exactly one tuning spec must be set.")
        if "baseModel" in body and body["baseModel"] not in self._conditions.base_models:
            raise Refused(400, f"Base model {body['baseModel']} is not supported.")
        source = body.get("preTunedModel", {}).get("tunedModelName", "")
        if "baseModel" not in body and source.partition("@")[0] not in self._registry.models:
            raise Refused(404, f"Model {source} is not found.")
        for field in ("trainingDatasetUri", "validationDatasetUri"):
            address = body[specs[0]].get(field)
            if address is not None and self._storage.read(address) is None:
                raise Refused(400, f"The file {address} does not exist or cannot be read.")
        _check_names(body)

    def _is_wanted(self, job: Job, wanted: str | None) -> bool:
        if wanted is None or self._conditions.filters == "passed over":
            return True
        name, _, value = wanted.partition("=")
        if self._conditions.filters == "refused" or not name.startswith("labels."):
            raise Refused(400, f"The filter {wanted} is not supported.")
        label = name.removeprefix("labels.")
        return job.asked.get("labels", {}).get(label) == value.strip('"')

    def _named(self, asked: Asked) -> Job:
        for name, job in self.all.items():
            if name.endswith(f"/{asked.names['tuningJobsId']}"):
                return job
        raise Refused(404, f"The tuning job {asked.names['tuningJobsId']} is not found.")

    def _reply(self, job: Job, asked: Asked) -> Reply:
        return Reply.of(_spelled(self._shape(job), asked, v1.TuningJob))

    def _shape(self, job: Job) -> dict[str, Any]:
        return job.shape(shown(self._conditions.shown_state, job.name))


def _camel(asked: Asked) -> dict[str, Any]:
    if asked.path.startswith("/v1/"):
        return plain(v1.TuningJob, asked.body)
    return camel(asked.body)


def _spelled(answer: dict[str, Any], asked: Asked, message: Any) -> dict[str, Any]:
    """The answer as this version of the API knows it, enums as they were asked for."""
    if not asked.path.startswith("/v1/"):
        return answer
    if "enum-encoding=int" in asked.query.get("$alt", ""):
        return numbered(message, answer)
    return plain(message, answer, tolerant=True)


def _check_names(body: Mapping[str, Any]) -> None:
    for key, value in body.get("labels", {}).items():
        if max(len(key), len(value)) > LONGEST_LABEL or (key + value).lower() != key + value:
            raise Refused(400, f"The label {key} is not valid: {value!r}.")
    if len(body.get("tunedModelDisplayName", "")) > MOST_NAME:
        raise Refused(400, "tunedModelDisplayName takes 128 characters.")
