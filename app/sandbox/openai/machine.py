"""How a job moves on, a beat at a time, and how it is steered."""

import math
from collections.abc import Callable
from typing import Any

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import Refused
from app.sandbox.openai import training
from app.sandbox.openai.answers import learned
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.files import RESULTS, Files
from app.sandbox.openai.identity import new_id
from app.sandbox.openai.job import Job
from app.sandbox.openai.lines import MINIMUM, FileInvalid, examples_of
from app.sandbox.openai.models import Models, TunedModel


class Machine:
    """Moves jobs; `ended` is called with every job that is over, once."""

    def __init__(
        self,
        files: Files,
        models: Models,
        conditions: Conditions,
        clock: Clock,
        ended: Callable[[Job], None],
    ) -> None:
        self._files = files
        self._models = models
        self._conditions = conditions
        self._clock = clock
        self._ended = ended

    def beat(self, job: Job) -> None:
        """One step of the way: validating, queued, running for `training_beats`, over."""
        match job.status:
            case "validating_files":
                self._validate(job)
            case "queued":
                job.status = "running"
                job.tell(self._clock.now(), "Fine-tuning job started")
                self._estimate(job)
            case "running":
                self._train(job)
            case "pausing":
                self._pause(job)
            case "resuming":
                self._resume(job)
            case _:
                pass

    def pause(self, job: Job) -> None:
        """Only a running job can be paused."""
        _require(job, {"running"}, "pause")
        if self._conditions.pauses_slowly:
            job.status = "pausing"
        else:
            self._pause(job)

    def resume(self, job: Job) -> None:
        """Only a paused job can be resumed."""
        _require(job, {"paused"}, "resume")
        if self._conditions.pauses_slowly:
            job.status = "resuming"
        else:
            self._resume(job)

    def cancel(self, job: Job) -> None:
        """Any job can be cancelled until it is over."""
        if job.is_over:
            raise Refused(409, f"Job has already {_ended_how(job)} and cannot be cancelled.")
        job.tell(self._clock.now(), "The job has been cancelled")
        self._end(job, "cancelled")

    def fail(self, job: Job, code: str, message: str, param: str | None = None) -> None:
        """The vendor's own failure."""
        job.error = {"code": code, "message": message, "param": param}
        job.tell(self._clock.now(), message, level="error")
        self._end(job, "failed")

    def _validate(self, job: Job) -> None:
        for param, file_id in _files_of(job):
            label = param.replace("_", " ")
            job.tell(self._clock.now(), f"Validating {label}: {file_id}")
            try:
                examples = self._read(job, param, file_id)
            except FileInvalid as invalid:
                message = f"The job failed due to an invalid {label}. {invalid.message}"
                self.fail(job, invalid.code, message, param)
                return
            if param == "training_file":
                self._plan(job, examples)
        job.status = "queued"
        job.tell(self._clock.now(), "Files validated, moving job to queued state")

    def _read(self, job: Job, param: str, file_id: str) -> list[dict[str, Any]]:
        stored = self._files.find(file_id)
        if stored is None:
            raise FileInvalid("file_not_found", f"File {file_id} was deleted.")
        least = MINIMUM if param == "training_file" else 1
        return examples_of(stored.content, job.method, least=least)

    def _plan(self, job: Job, examples: list[dict[str, Any]]) -> None:
        job.hyperparameters = training.settled(job.hyperparameters)
        job.plan = training.plan(
            job.method,
            job.hyperparameters,
            examples,
            seed=job.seed,
            is_validated=job.validation_file is not None,
        )
        tuned = self._models.tuned(job.model)
        job.answers = {**(tuned.answers if tuned else {}), **learned(examples, job.method)}

    def _train(self, job: Job) -> None:
        assert job.plan is not None
        share = math.ceil(job.plan.steps / self._conditions.training_beats)
        last = min(job.step + share, job.plan.steps)
        for step in range(job.step + 1, last + 1):
            metrics = job.plan.metrics(step)
            job.tell(self._clock.now(), _measured(job, step, metrics), metrics=metrics)
            job.step = step
            if step in job.plan.checkpoint_steps:
                self._checkpoint(job, step)
        if job.step == job.plan.steps:
            self._succeed(job)

    def _checkpoint(self, job: Job, step: int) -> None:
        assert job.plan is not None
        is_last = step == job.plan.steps
        name = job.model_name if is_last else job.checkpoint_name(step)
        job.checkpoints.append(
            {
                "object": "fine_tuning.job.checkpoint",
                "id": new_id("ftckpt_"),
                "created_at": int(self._clock.now()),
                "fine_tuned_model_checkpoint": name,
                "fine_tuning_job_id": job.id,
                "metrics": job.plan.at_checkpoint(step),
                "step_number": step,
            }
        )
        self._publish(job, name)
        if not is_last:
            job.tell(self._clock.now(), f"Checkpoint created at step {step}")

    def _publish(self, job: Job, name: str) -> None:
        assert job.plan is not None
        now = int(self._clock.now())
        self._models.add(TunedModel(name, job.base, now, job.plan.examples, job.answers))

    def _succeed(self, job: Job) -> None:
        assert job.plan is not None
        now = self._clock.now()
        job.fine_tuned_model = job.model_name
        results = self._files.store("step_metrics.csv", job.plan.results(job.step), RESULTS)
        job.result_files = [results.id]
        job.tell(now, f"New fine-tuned model created: {job.fine_tuned_model}")
        job.tell(now, "The job has successfully completed")
        self._end(job, "succeeded")

    def _pause(self, job: Job) -> None:
        job.status = "paused"
        job.estimated_finish = None
        job.tell(self._clock.now(), "The job has been paused")

    def _resume(self, job: Job) -> None:
        job.status = "running"
        job.tell(self._clock.now(), "The job has been resumed")
        self._estimate(job)

    def _estimate(self, job: Job) -> None:
        seconds = self._conditions.training_beats * self._conditions.pace.seconds
        job.estimated_finish = int(self._clock.now() + seconds)

    def _end(self, job: Job, status: str) -> None:
        job.status = status
        job.finished_at = int(self._clock.now())
        job.estimated_finish = None
        self._ended(job)


def _require(job: Job, allowed: set[str], verb: str) -> None:
    if job.status not in allowed:
        raise Refused(400, f"Cannot {verb} a job that is {job.status}.")


def _ended_how(job: Job) -> str:
    return "been cancelled" if job.status == "cancelled" else job.status


def _files_of(job: Job) -> list[tuple[str, str]]:
    files = [("training_file", job.training_file)]
    if job.validation_file is not None:
        files.append(("validation_file", job.validation_file))
    return files


def _measured(job: Job, step: int, metrics: dict[str, float]) -> str:
    assert job.plan is not None
    name = "train_mean_reward" if job.method == "reinforcement" else "train_loss"
    label = "training reward" if job.method == "reinforcement" else "training loss"
    return f"Step {step}/{job.plan.steps}: {label}={metrics[name]}"
