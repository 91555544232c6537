"""The world that the simulator of Vertex AI is in, which can be changed while it runs."""

from typing import Literal

from pydantic import Field, PositiveInt

from app.sandbox.frame.conditions import Paced
from app.sandbox.frame.listing import Lag


class Conditions(Paced):
    """Everything that can be ordered and is no fault of a single request.

    `expired_tokens` are refused, by `*` all of them.

    `shown_state` replaces the state of a job, or of all by `*`, in answers. `filters` says what
    becomes of a list's filter on labels, which Google does not document for tuning jobs. With
    `slow_operations` a long-running operation is over at the first look and not at once.
    `partly` lets trainings succeed in part; `drops` are examples (from 1) that they leave out.
    """

    epochs: PositiveInt = 3
    listing_lag: Lag = Lag()
    filters: Literal["honoured", "passed over", "refused"] = "honoured"
    expired_tokens: set[str] = Field(default_factory=set[str])
    shown_state: dict[str, str] = Field(default_factory=dict[str, str])
    slow_operations: bool = False
    cancels_slowly: bool = False
    partly: bool = False
    drops: list[PositiveInt] = []
    buckets: set[str] = Field(default_factory=lambda: {"staging"})
    base_models: set[str] = Field(
        default_factory=lambda: {
            "gemini-3.5-flash",
            "gemini-3.5-flash-lite",
            "gemini-3.1-flash-lite",
        }
    )
