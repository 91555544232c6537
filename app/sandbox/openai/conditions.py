"""The world that the simulator of OpenAI is in, which can be changed while it runs."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from app.sandbox.frame.conditions import Paced
from app.sandbox.frame.listing import Lag

SECRET = "whsec_bHV0aGllci1zYW5kYm94LXNlY3JldA=="  # noqa: S105  # pragma: allowlist secret
"""Opens nothing but a simulator."""

MIB = 1024 * 1024

CLOSED = (
    "Your organization can no longer create fine-tuning jobs. "
    "See https://platform.openai.com/docs/deprecations"
)


class Closed(BaseModel):
    """How the creation of jobs is refused; what OpenAI really says is not published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal[400, 403] = 403
    message: str = CLOSED
    code: str | None = "fine_tuning_not_available"


class Webhooks(BaseModel):
    """Where webhooks go, with which secret; those that are `held` wait for an order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    secret: str = SECRET
    held: bool = False


class Conditions(Paced):
    """Everything that can be ordered and is no fault of a single request.

    A base model is retired from its shutdown date on, by the simulator's clock. `shown_status`
    replaces the status of a job, or of all by `*`, in answers. `training_beats` is how many beats
    a training takes once it runs; `file_looks` how often a file must be looked at until it is
    processed; sizes are in bytes.
    """

    training_beats: PositiveInt = 3
    file_looks: NonNegativeInt = 0
    largest_file: PositiveInt = 512 * MIB
    largest_part: PositiveInt = 64 * MIB
    listing_lag: Lag = Lag()
    closed: Closed | None = None
    expired_keys: set[str] = Field(default_factory=set[str])
    shutdown_dates: dict[str, date] = Field(default_factory=dict[str, date])
    shown_status: dict[str, str] = Field(default_factory=dict[str, str])
    pauses_slowly: bool = False
    webhooks: Webhooks = Webhooks()
