"""What every simulator's world has: the pace of its jobs, and how it is changed while it runs."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat


class Pace(BaseModel):
    """What makes jobs move on by a beat: a look at the job, so many seconds, or only an order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["look", "clock", "order"] = "look"
    seconds: PositiveFloat = 1


class Paced(BaseModel):
    """Everything that can be ordered and is no fault of a single request; vendors add their own."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    pace: Pace = Pace()


def change(conditions: Paced, changes: dict[str, Any]) -> None:
    """Change the conditions in place, all or none; what does not fit raises `ValidationError`."""
    changed = type(conditions).model_validate(conditions.model_dump() | changes)
    for name in changes:
        setattr(conditions, name, getattr(changed, name))


def shown(ordered: Mapping[str, str], job: str) -> str | None:
    """What is shown as a job's status: what was ordered for it, or for all by `*`."""
    return ordered.get(job, ordered.get("*"))
