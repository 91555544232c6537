"""The world that the simulated workspace is in, which can be changed while it runs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class Pace(BaseModel):
    """What makes jobs move on by a beat: a look at the job, so many seconds, or only an order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["look", "clock", "order"] = "look"
    seconds: PositiveFloat = 1


class Conditions(BaseModel):
    """Everything that can be ordered and is no fault of a single request.

    `shown_status` replaces the status of a job, or of all by `*`, in answers. `training_beats` is
    how many beats a job takes once it runs.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    pace: Pace = Pace()
    training_beats: PositiveInt = 2
    computes: set[str] = {"cluster"}
    expired_tokens: set[str] = Field(default_factory=set[str])
    shown_status: dict[str, str] = Field(default_factory=dict[str, str])
    cancels_slowly: bool = False
