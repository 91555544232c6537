"""The world that the simulated workspace is in, which can be changed while it runs."""

from pydantic import Field, PositiveInt

from app.sandbox.frame.conditions import Paced


class Conditions(Paced):
    """Everything that can be ordered and is no fault of a single request.

    `shown_status` replaces the status of a job, or of all by `*`, in answers. `training_beats` is
    how many beats a job takes once it runs, `page_size` how many jobs a page of their list has.
    """

    training_beats: PositiveInt = 2
    page_size: PositiveInt = 50
    computes: set[str] = {"cluster"}
    expired_tokens: set[str] = Field(default_factory=set[str])
    shown_status: dict[str, str] = Field(default_factory=dict[str, str])
    cancels_slowly: bool = False
