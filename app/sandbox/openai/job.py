"""One fine-tuning job: what is known of it, and how it looks on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.openai.answers import Message
from app.sandbox.openai.identity import new_id, short_id
from app.sandbox.openai.models import ORGANISATION
from app.sandbox.openai.training import Plan

TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(slots=True, kw_only=True)
class Job:
    """One job; times are in seconds since 1970, `step` is the last one that was trained."""

    model: str
    base: str
    method: str
    hyperparameters: dict[str, Any]
    training_file: str
    validation_file: str | None
    created_at: int
    seed: int
    suffix: str | None = None
    metadata: Mapping[str, str] | None = None
    integrations: Any = None
    grader: Mapping[str, Any] | None = None
    id: str = field(default_factory=lambda: new_id("ftjob-"))
    short: str = field(default_factory=short_id)
    status: str = "validating_files"
    error: Mapping[str, Any] | None = None
    plan: Plan | None = None
    answers: dict[str, Message] = field(default_factory=dict[str, Message])
    step: int = 0
    beat_at: float = 0
    finished_at: int | None = None
    estimated_finish: int | None = None
    fine_tuned_model: str | None = None
    result_files: list[str] = field(default_factory=list[str])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    checkpoints: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in TERMINAL

    @property
    def model_name(self) -> str:
        """The name that the tuned model will have."""
        return f"ft:{self.base}:{ORGANISATION}:{self.suffix or ''}:{self.short}"

    def checkpoint_name(self, step: int) -> str:
        """The name of the model that is saved at a step before the last."""
        return f"{self.model_name}:ckpt-step-{step}"

    def tell(
        self,
        now: float,
        message: str,
        *,
        level: str = "info",
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Add an event; with `metrics` it is one of that type."""
        self.events.append(
            {
                "object": "fine_tuning.job.event",
                "id": new_id("ftevent-"),
                "created_at": int(now),
                "level": level,
                "message": message,
                "type": "message" if metrics is None else "metrics",
                "data": dict(metrics or {}),
            }
        )

    def shape(self, shown_status: str | None) -> dict[str, Any]:
        """The job on the wire, its status replaced where another is to be shown."""
        is_done = self.status == "succeeded"
        return {
            "object": "fine_tuning.job",
            "id": self.id,
            "model": self.model,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "fine_tuned_model": self.fine_tuned_model,
            "organization_id": f"org-{ORGANISATION}",
            "result_files": self.result_files,
            "status": shown_status or self.status,
            "validation_file": self.validation_file,
            "training_file": self.training_file,
            "hyperparameters": self.hyperparameters if self.method == "supervised" else {},
            "trained_tokens": self.plan.trained_tokens if self.plan and is_done else None,
            "error": self.error,
            "seed": self.seed,
            "estimated_finish": self.estimated_finish,
            "integrations": self.integrations or [],
            "metadata": self.metadata,
            "method": {"type": self.method, self.method: self._method()},
        }

    def _method(self) -> dict[str, Any]:
        grader = {"grader": self.grader} if self.grader else {}
        return {**grader, "hyperparameters": self.hyperparameters}
