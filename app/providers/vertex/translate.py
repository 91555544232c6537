"""Between Vertex AI's words and ours: a tuning job's JSON in, an observation out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from app.domain.jobs import Checkpoint, Event, JobError, Progress, Remote
from app.domain.provider import Artifact, Observation, RemoteState
from app.providers.vertex.artifacts import Tuned
from app.providers.vertex.plans import ADAPTER_SIZES

LOOK_EVERY_SECONDS = 30.0
"""Trainings take from minutes to hours, and every look counts against the project's quota."""

STATES: Mapping[str, RemoteState] = {
    "JOB_STATE_QUEUED": RemoteState.PENDING,
    "JOB_STATE_PENDING": RemoteState.PENDING,
    "JOB_STATE_RUNNING": RemoteState.RUNNING,
    "JOB_STATE_UPDATING": RemoteState.RUNNING,
    "JOB_STATE_PAUSED": RemoteState.PAUSED,
    "JOB_STATE_CANCELLING": RemoteState.CANCELLING,
    "JOB_STATE_SUCCEEDED": RemoteState.SUCCEEDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": RemoteState.SUCCEEDED,
    "JOB_STATE_FAILED": RemoteState.FAILED,
    "JOB_STATE_EXPIRED": RemoteState.FAILED,
    "JOB_STATE_CANCELLED": RemoteState.CANCELLED,
}

_SPECS = ("supervisedTuningSpec", "preferenceOptimizationSpec")
_STATS = ("supervisedTuningDataStats", "preferenceOptimizationDataStats")
_SIZES = {word: size for size, word in ADAPTER_SIZES.items()}
_CONSOLE = "https://console.cloud.google.com/vertex-ai/generative/language"


class Cursor(msgspec.Struct, frozen=True):
    """What was told already: checkpoints by id, and notices by name."""

    checkpoints: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """The cursor as `str` wrote it; the beginning for None."""
        return cls() if text is None else msgspec.json.decode(text, type=cls)

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()


def observation(job: Mapping[str, Any], cursor: Cursor) -> Observation:
    """What one look at a tuning job says, and what is new since the cursor."""
    state = state_of(job)
    is_open = state not in (RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.CANCELLED)
    checkpoints = _new_checkpoints(job, cursor)
    notices = {name: event for name, event in _notices(job) if name not in cursor.notices}
    told = Cursor(
        (*cursor.checkpoints, *(saved.name for saved in checkpoints)),
        (*cursor.notices, *notices),
    )
    return Observation(
        state=state,
        remote=remote_of(job),
        look_again_in=LOOK_EVERY_SECONDS if is_open else 0.0,
        # Google keeps no history of phases: this is the present one, and no event.
        detail=_phase(job) if is_open else None,
        progress=_progress(job, state),
        checkpoints=checkpoints,
        events=list(notices.values()),
        cursor=str(told),
        artifact=_artifact(job) if state is RemoteState.SUCCEEDED else None,
        error=_error(job) if state is RemoteState.FAILED else None,
    )


def state_of(job: Mapping[str, Any]) -> RemoteState:
    """Google's state in our words; one that is not known is told and waited for."""
    return STATES.get(job.get("state", ""), RemoteState.UNKNOWN)


def remote_of(job: Mapping[str, Any]) -> Remote:
    """The job at Google, with the page of its console."""
    name: str = job["name"]
    return Remote(id=name, status=job.get("state"), url=_page(name))


def tuned_of(job: Mapping[str, Any]) -> Tuned | None:
    """What a job left; None where it left nothing yet."""
    tuned: Mapping[str, Any] = job.get("tunedModel") or {}
    return Tuned(tuned["model"], tuned.get("endpoint")) if tuned.get("model") else None


def effective(job: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that Google used, in our words."""
    used = _parameters(job)
    named = {
        "epochs": _whole(used.get("epochCount")),
        "learning_rate_multiplier": used.get("learningRateMultiplier"),
        "adapter_size": _SIZES.get(used.get("adapterSize", "")),
        "beta": used.get("beta"),
    }
    return {name: value for name, value in named.items() if value is not None}


def _page(name: str) -> str | None:
    match name.split("/"):
        case ["projects", project, "locations", location, "tuningJobs", job]:
            return f"{_CONSOLE}/locations/{location}/tuning/tuningJob/{job}?project={project}"
        case _:
            return None


def _phase(job: Mapping[str, Any]) -> str | None:
    """`TUNING_JOB_STATE_PROCESSING_DATASET` is `processing dataset`."""
    said = job.get("tuningJobState")
    if not isinstance(said, str):
        return None
    return said.removeprefix("TUNING_JOB_STATE_").lower().replace("_", " ")


def _progress(job: Mapping[str, Any], state: RemoteState) -> Progress | None:
    """Whole epochs are all that Google tells of a training under way."""
    steps = _whole(_stats(job).get("tuningStepCount"))
    epochs = _whole(_parameters(job).get("epochCount"))
    if state is RemoteState.SUCCEEDED:
        return Progress(100.0, step=steps, total_steps=steps, epoch=epochs)
    metadata: Mapping[str, Any] = job.get("tuningJobMetadata") or {}
    done = _whole(metadata.get("completedEpochCount"))
    if not done or not epochs:
        return None
    percent = round(100 * min(done / epochs, 1.0), 1)
    return Progress(
        percent, step=_whole(metadata.get("completedStepCount")), total_steps=steps, epoch=done
    )


def _new_checkpoints(job: Mapping[str, Any], cursor: Cursor) -> Sequence[Checkpoint]:
    saved: Sequence[Mapping[str, Any]] = (job.get("tunedModel") or {}).get("checkpoints") or ()
    return [
        Checkpoint(_whole(one.get("step")) or 0, str(one["checkpointId"]))
        for one in saved
        if one.get("checkpointId") and str(one["checkpointId"]) not in cursor.checkpoints
    ]


def _notices(job: Mapping[str, Any]) -> Iterator[tuple[str, Event]]:
    """What a person should know, each under a name that keeps it from being told twice."""
    if job.get("state") == "JOB_STATE_PARTIALLY_SUCCEEDED":
        yield "partly", _notice("warning", "Google says that the training succeeded in part.")
    # Supervised tuning calls truncated what it dropped.
    stats = _stats(job)
    dropped = stats.get("droppedExampleIndices") or stats.get("truncatedExampleIndices") or []
    if dropped:
        reasons = "; ".join(sorted(set(stats.get("droppedExampleReasons") or [])))
        first = ", ".join(str(index) for index in dropped[:10])
        message = f"Google dropped examples, {first} among them (from 1). {reasons}".rstrip()
        yield "dropped", _notice("warning", message)
    if job.get("experiment"):
        message = f"Google keeps the curves of this training in {job['experiment']}."
        yield "experiment", _notice("info", message)


def _notice(level: str, message: str) -> Event:
    return Event("job.notice", {"level": level, "message": message})


def _artifact(job: Mapping[str, Any]) -> Artifact | None:
    tuned = tuned_of(job)
    if tuned is None:
        return None
    return Artifact(
        handle=str(tuned),
        kind="remote",
        effective=effective(job),
        trained_tokens=_trained_tokens(job),
    )


def _trained_tokens(job: Mapping[str, Any]) -> int | None:
    """Google counts the dataset once, and bills every epoch."""
    once = _whole(_stats(job).get("totalBillableTokenCount"))
    epochs = _whole(_parameters(job).get("epochCount"))
    return once * epochs if once is not None and epochs else once


def _error(job: Mapping[str, Any]) -> JobError:
    if job.get("state") == "JOB_STATE_EXPIRED":
        return JobError("provider_failed", "The tuning job expired at Google before it ended.")
    error: Mapping[str, Any] = job.get("error") or {}
    message = error.get("message") or "Google gives no reason."
    return JobError(
        "provider_failed", message, hint=f"Google's page of the job: {_page(job['name'])}"
    )


def _parameters(job: Mapping[str, Any]) -> Mapping[str, Any]:
    specs = [job[name] for name in _SPECS if job.get(name)]
    return (specs[0].get("hyperParameters") or {}) if specs else {}


def _stats(job: Mapping[str, Any]) -> Mapping[str, Any]:
    stats: Mapping[str, Any] = job.get("tuningDataStats") or {}
    return next((stats[name] for name in _STATS if stats.get(name)), {})


def _whole(value: Any) -> int | None:
    """JSON carries Google's long numbers as text."""
    return int(value) if isinstance(value, (int, float, str)) and value != "" else None
