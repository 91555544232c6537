"""One tuning job at Google, and its way from the queue to its end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.frame.clock import moment

OVER = frozenset(
    {
        "JOB_STATE_SUCCEEDED",
        "JOB_STATE_PARTIALLY_SUCCEEDED",
        "JOB_STATE_FAILED",
        "JOB_STATE_CANCELLED",
        "JOB_STATE_EXPIRED",
    }
)

CANCELLED = {"code": 1, "message": "The tuning job was cancelled."}
"""A cancelled job carries an error of google.rpc.Code CANCELLED."""

_SPECS = ("supervisedTuningSpec", "preferenceOptimizationSpec")


@dataclass(slots=True, kw_only=True)
class Job:
    """What was asked for, in camel case, and how far it came; times are in seconds."""

    name: str
    asked: dict[str, Any]
    epochs: int
    created_at: float
    beat_at: float
    state: str = "JOB_STATE_PENDING"
    phase: str | None = None
    epoch: int = 0
    steps: int = 0
    changed_at: float = 0
    error: dict[str, Any] | None = None
    tuned: dict[str, Any] | None = None
    stats: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_over(self) -> bool:
        """Whether nothing will move it any more."""
        return self.state in OVER

    @property
    def spec_name(self) -> str:
        """Which method it is."""
        return next(name for name in _SPECS if name in self.asked)

    @property
    def spec(self) -> dict[str, Any]:
        """What the method was asked with."""
        return self.asked[self.spec_name]

    def shape(self, shown: str | None) -> dict[str, Any]:
        """The job as v1beta1 answers it, with another state where one is shown."""
        parameters = {"epochCount": str(self.epochs)} | self.spec.get("hyperParameters", {})
        shape: dict[str, Any] = {
            **self.asked,
            self.spec_name: self.spec | {"hyperParameters": parameters},
            "name": self.name,
            "state": shown or self.state,
            "createTime": moment(self.created_at),
            "updateTime": moment(self.changed_at or self.created_at),
            "tuningDataStats": self.stats,
            "tuningJobMetadata": {"completedEpochCount": str(self.epoch)},
        }
        if self.phase is not None:
            shape["tuningJobState"] = f"TUNING_JOB_STATE_{self.phase}"
        if self.error is not None:
            shape["error"] = self.error
        if self.tuned is not None:
            shape["tunedModel"] = self.tuned
            shape["experiment"] = self.name.replace("tuningJobs", "metadataStores/default/contexts")
        return {name: value for name, value in shape.items() if value != {}}

    def checkpoints(self) -> Sequence[tuple[str, int, int]]:
        """Id, epoch and step of every state that was saved; the last alone where asked for."""
        last = self.spec.get("exportLastCheckpointOnly", False)
        return [
            (str(epoch), epoch, epoch * self.steps)
            for epoch in range(1, self.epochs + 1)
            if not last or epoch == self.epochs
        ]
