"""What stands in a run folder's files: the order, the events, the outcome."""

from typing import Any, Literal

import msgspec


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. `model` is what from_pretrained gets: a folder or a Hugging Face name."""

    key: str
    base_model: str
    model: str
    adapter_from: str | None = None
    """Folder of a LoRA adapter on `model` to continue from."""
    method: Literal["sft", "dpo"]
    hyperparameters: dict[str, Any] = {}
    seed: int = 42
    memory_limit_bytes: int | None = None
    threads: int | None = None


class ProcessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The trainer of one launch, as it introduced itself."""

    pid: int
    started_at_ms: int
    launch: int


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Something that the trainer reported; `at` is milliseconds since the epoch."""

    at: int


class PhaseEvent(Event, frozen=True, kw_only=True, tag="phase"):
    """The trainer entered a phase."""

    phase: Literal["starting", "loading", "preparing", "training", "saving", "probing"]
    message: str | None = None


class MetricsEvent(Event, frozen=True, kw_only=True, tag="metrics"):
    """Figures of one step; after a resume a step may come again, and the last one counts."""

    step: int
    total_steps: int
    epoch: float
    eta_seconds: float | None
    values: dict[str, float]


class CheckpointEvent(Event, frozen=True, kw_only=True, tag="checkpoint"):
    """A whole checkpoint lies at `path`, relative to the run folder."""

    step: int
    path: str


class NoticeEvent(Event, frozen=True, kw_only=True, tag="notice"):
    """Something that a person should know."""

    level: Literal["info", "warning", "error"]
    message: str


AnyEvent = PhaseEvent | MetricsEvent | CheckpointEvent | NoticeEvent


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed, and what to change."""

    code: str
    message: str
    hint: str | None = None


class RunArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """The tuned model: `path` relative to the run folder, `base` as from_pretrained got it."""

    path: str
    kind: Literal["adapter", "full"]
    base: str


class RunBase(msgspec.Struct, frozen=True, kw_only=True):
    """The base model as it lay here: the hub's commit, and the hash over its safetensors files.

    None is what a folder has no commit of, and a model without such files no hash.
    """

    revision: str | None = None
    sha256: str | None = None


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended; `tokens` counts what was trained on, over all epochs."""

    outcome: Literal["succeeded", "failed", "cancelled"]
    error: RunError | None = None
    artifact: RunArtifact | None = None
    base: RunBase | None = None
    effective: dict[str, Any] = {}
    versions: dict[str, str] = {}
    steps: int = 0
    tokens: int = 0
    wall_seconds: float = 0.0
    weights_sha256: str | None = None


class Ready(msgspec.Struct, frozen=True):
    """What the measuring process says first."""

    error: str | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one example is to the model: `tokens` go through it in an epoch, `length` would."""

    tokens: int
    length: int = 0
    error: str | None = None
    last_turn_only: bool = False
    control_tokens: list[str] = []
