"""The end of models: the days from which base models and what was tuned from them are gone."""

import re
from collections.abc import Iterator
from datetime import date

import msgspec

from app.domain.catalogue import BaseModel
from app.domain.hosting import Hosting
from app.domain.models import TunedModel

THRESHOLDS = (7, 30, 90)
"""So many days ahead an end is told, each once."""

_DAYS_EACH = {"d": 1, "w": 7}


class Ends(msgspec.Struct, frozen=True):
    """The first days on which it is over; None where no day is known."""

    training: date | None = None
    serving: date | None = None


class LivingModel(TunedModel, frozen=True, kw_only=True):
    """A tuned model with what is known of its days and of its deployment."""

    training_ends_at: date | None
    serving_ends_at: date | None
    retires_in_days: int | None
    hosting: Hosting | None


class Ahead(msgspec.Struct, frozen=True):
    """What is told ahead of an end; `type` is the notice's."""

    type: str
    ends_at: date
    days_left: int
    threshold: int


def ends_of(base: BaseModel) -> Ends:
    """The days of a base model, which are those of what was tuned from it."""
    return Ends(base.training_ends_at, base.serving_ends_at)


def living(model: TunedModel, ends: Ends, hosting: Hosting | None, today: date) -> LivingModel:
    """The model as it is shown on a day."""
    return LivingModel(
        **msgspec.structs.asdict(model),
        training_ends_at=ends.training,
        serving_ends_at=ends.serving,
        retires_in_days=None if ends.serving is None else (ends.serving - today).days,
        hosting=hosting,
    )


def ahead(ends: Ends, today: date) -> Iterator[Ahead]:
    """What is to be told on a day: of each end that is near, the closest threshold reached."""
    for type_, day in (
        ("model.retiring", ends.serving),
        ("model.training_closing", ends.training),
    ):
        left = -1 if day is None else (day - today).days
        reached = next((days for days in THRESHOLDS if left <= days), None)
        if day is not None and left >= 0 and reached is not None:
            yield Ahead(type_, day, left, reached)


def days_of(span: str) -> int | None:
    """The days of `90d`, `12w` or ISO 8601's `P90D` and `P12W`; None for anything else."""
    match = re.fullmatch(r"[Pp]?([0-9]{1,5})([dDwW])", span)
    return None if match is None else int(match[1]) * _DAYS_EACH[match[2].lower()]
