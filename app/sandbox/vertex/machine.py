"""How a tuning job moves on, a beat at a time."""

from collections.abc import Sequence
from typing import Any

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import Refused
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.job import CANCELLED, Job
from app.sandbox.vertex.lines import FileInvalid, Lesson, preferences, supervised
from app.sandbox.vertex.registry import Registry
from app.sandbox.vertex.storage import Storage

INVALID_ARGUMENT = 3
BATCH = 8

_READERS = {"supervisedTuningSpec": supervised, "preferenceOptimizationSpec": preferences}
_STATS = {
    "supervisedTuningSpec": "supervisedTuningDataStats",
    "preferenceOptimizationSpec": "preferenceOptimizationDataStats",
}
_INDICES = {
    "supervisedTuningSpec": "truncatedExampleIndices",
    "preferenceOptimizationSpec": "droppedExampleIndices",
}


class Machine:
    """Moves jobs; what a finished one leaves goes to the registry."""

    def __init__(
        self, storage: Storage, registry: Registry, conditions: Conditions, clock: Clock
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._conditions = conditions
        self._clock = clock

    def beat(self, job: Job) -> None:
        """One step of the way: pending, reading the file, an epoch each, over."""
        if job.is_over:
            return
        job.changed_at = self._clock.now()
        match job.state, job.phase:
            case "JOB_STATE_CANCELLING", _:
                job.state, job.phase, job.error = "JOB_STATE_CANCELLED", None, CANCELLED
            case "JOB_STATE_PENDING", _:
                job.state, job.phase = "JOB_STATE_RUNNING", "PROCESSING_DATASET"
            case "JOB_STATE_RUNNING", "PROCESSING_DATASET":
                self._read(job)
            case "JOB_STATE_RUNNING", _ if job.epoch < job.epochs - 1:
                job.epoch += 1
            case _:
                self._succeed(job)

    def cancel(self, job: Job) -> None:
        """Any job can be cancelled until it is over."""
        if job.is_over:
            raise Refused(400, "The tuning job is in a terminal state and cannot be cancelled.")
        job.state = "JOB_STATE_CANCELLING"
        if not self._conditions.cancels_slowly:
            self.beat(job)

    def fail(self, job: Job, code: int, message: str) -> None:
        """An end with an error of `google.rpc.Code`."""
        job.state, job.phase = "JOB_STATE_FAILED", None
        job.error = {"code": code, "message": message}

    def _read(self, job: Job) -> None:
        try:
            lessons = self._lessons(job)
        except FileInvalid as error:
            self.fail(job, INVALID_ARGUMENT, f"The training file is not valid. {error}")
            return
        job.phase = "TUNING"
        job.steps = -(-len(lessons) // BATCH)
        stats: dict[str, Any] = {
            "tuningDatasetExampleCount": str(len(lessons)),
            "tuningStepCount": str(job.steps * job.epochs),
            "totalBillableTokenCount": str(sum(len(one.asked) for one in lessons) // 4),
        }
        if self._conditions.drops:
            indices = _INDICES[job.spec_name]
            stats |= {
                indices: [str(index) for index in self._conditions.drops],
                "droppedExampleReasons": ["too long" for _ in self._conditions.drops],
            }
        job.stats = {_STATS[job.spec_name]: stats}

    def _succeed(self, job: Job) -> None:
        lessons = self._lessons(job)
        parent = job.name.partition("/tuningJobs/")[0]
        model = self._registry.register(parent, job.asked.get("baseModel", ""))
        checkpoints = [
            {
                "checkpointId": checkpoint,
                "epoch": str(epoch),
                "step": str(step),
                "endpoint": self._registry.deploy(parent, model, lessons),
            }
            for checkpoint, epoch, step in job.checkpoints()
        ]
        job.tuned = {"model": model, "endpoint": checkpoints[-1]["endpoint"]}
        if not job.spec.get("exportLastCheckpointOnly", False):
            job.tuned["checkpoints"] = checkpoints
        job.epoch, job.phase = job.epochs, None
        job.state = (
            "JOB_STATE_PARTIALLY_SUCCEEDED" if self._conditions.partly else "JOB_STATE_SUCCEEDED"
        )

    def _lessons(self, job: Job) -> Sequence[Lesson]:
        content = self._storage.read(job.spec["trainingDatasetUri"])
        if content is None:
            raise FileInvalid("The file is gone.")
        return _READERS[job.spec_name](content)
