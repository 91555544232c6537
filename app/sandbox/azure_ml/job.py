"""One job of the workspace: what was put, how far it is, and how it looks on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.frame.clock import moment

TERMINAL = frozenset({"Completed", "Failed", "Canceled"})

KIND = "Microsoft.MachineLearningServices/workspaces/jobs"


@dataclass(slots=True, kw_only=True)
class Job:
    """One job; times are in seconds since 1970."""

    name: str
    id: str
    given: dict[str, Any]
    created_at: float
    beat_at: float
    url: str
    status: str = "NotStarted"
    beats: int = 0
    reason: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in TERMINAL

    @property
    def details(self) -> Mapping[str, Any] | None:
        """What a fine-tuning job is to tune; None for a command."""
        return self.given.get("fineTuningDetails")

    def shape(self, shown_status: str | None) -> dict[str, Any]:
        """The job on the wire, its status replaced where another is to be shown."""
        services = {"Studio": {"endpoint": self.url, "jobServiceType": "Studio"}}
        return {
            "id": self.id,
            "name": self.name,
            "type": KIND,
            "systemData": {
                "createdAt": moment(self.created_at),
                "createdBy": "sandbox",
                "createdByType": "User",
            },
            "properties": {
                **self.given,
                "status": shown_status or self.status,
                "services": services,
            },
        }


def spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """A job as the document spells it; in requests, enums compare without regard to case."""
    details = given.get("fineTuningDetails")
    if details is None:
        return dict(given)
    task = str(details["taskType"])
    return dict(given) | {"fineTuningDetails": details | {"taskType": task[:1].upper() + task[1:]}}
