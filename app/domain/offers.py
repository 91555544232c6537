"""What can be tuned: a provider's catalogue, with the vendor's own list of models laid over it."""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel
from app.domain.errors import BaseModelUnknown
from app.domain.jobs import Millis
from app.domain.provider import ListedModel, Listing, Operation, Provider


class ListState(StrEnum):
    """What the vendor's own list says of a base model."""

    LISTED = "listed"
    NOT_TUNABLE = "not_tunable"
    """It is there, and the vendor says that it cannot be tuned."""

    UNLISTED = "unlisted"
    """The latest list does not have it."""

    UNKNOWN = "unknown"
    """No list has been seen."""


class SeenModel(ListedModel, frozen=True, kw_only=True):
    """A model of the latest list, or one that an earlier list had and the latest has not."""

    is_gone: bool = False


class VendorList(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's list as it was seen last; `problem` says why it could not be seen since."""

    models: list[SeenModel] = []
    seen_at: Millis | None = None
    problem: str | None = None

    def find(self, name: str) -> SeenModel | None:
        """The model of that name, be it gone or there."""
        return next((model for model in self.models if model.name == name), None)


class Offer(BaseModel, frozen=True, kw_only=True):
    """A base model as the catalogue and the vendor have it; the vendor's dates win."""

    state: ListState = ListState.UNKNOWN
    seen_at: Millis | None = None
    """When the vendor's list was seen."""


def listing(provider: Provider) -> Listing | None:
    """The provider, where its vendor has a list of models that can be asked for."""
    offers_it = Operation.REFRESH in provider.spec.operations
    return provider if offers_it and isinstance(provider, Listing) else None


def offer(provider: Provider, name: str, listed: VendorList) -> Offer:
    """The base model of that name; raises `BaseModelUnknown` where neither has it."""
    try:
        return _laid_over(provider.base_model(name), listed)
    except BaseModelUnknown:
        seen, source = listed.find(name), listing(provider)
        if seen is None or source is None or not seen.is_tunable:
            raise
        return _laid_over(source.newcomer(name), listed)


def offers(provider: Provider, listed: VendorList) -> list[Offer]:
    """All base models: the catalogue's, then those that the vendor alone names as tunable."""
    known = provider.base_models()
    names = {base.name for base in known}
    new = [one.name for one in listed.models if one.is_tunable and one.name not in names]
    source = listing(provider)
    newcomers = [source.newcomer(name) for name in new] if source is not None else []
    return [_laid_over(base, listed) for base in (*known, *newcomers)]


def renewed(before: Iterable[SeenModel], now: Sequence[ListedModel]) -> list[SeenModel]:
    """What is there now, then what was there earlier and is gone."""
    there = {model.name: SeenModel(**_fields(model)) for model in now}
    gone = [
        msgspec.structs.replace(model, is_gone=True) for model in before if model.name not in there
    ]
    return [*there.values(), *gone]


def _laid_over(base: BaseModel, listed: VendorList) -> Offer:
    seen = listed.find(base.tuned_from or base.name)
    dates: dict[str, Any] = _dates(seen) if seen is not None else {}
    return Offer(**_fields(base) | dates, state=_state(seen, listed), seen_at=listed.seen_at)


def _dates(seen: SeenModel) -> dict[str, date]:
    """The days that the vendor names; where it names none the catalogue's stay."""
    told = {"training_ends_at": seen.training_ends_at, "serving_ends_at": seen.serving_ends_at}
    return {name: day for name, day in told.items() if day is not None}


def _state(seen: SeenModel | None, listed: VendorList) -> ListState:
    if listed.seen_at is None:
        return ListState.UNKNOWN
    if seen is None or seen.is_gone:
        return ListState.UNLISTED
    return ListState.NOT_TUNABLE if seen.is_tunable is False else ListState.LISTED


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(value)
