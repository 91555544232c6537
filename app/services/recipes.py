"""Recipes: whether a provider, a base model, a method and a dataset go together."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from app.domain.catalogue import BaseModel
from app.domain.datasets import Dataset, DatasetKind, held_out_count
from app.domain.errors import (
    BaseModelNotListed,
    BaseModelRetired,
    CreationClosed,
    DatasetKindUnfit,
    DatasetTooSmall,
    Fault,
    HyperparametersInvalid,
    MethodNotSupported,
    ProviderNotConfigured,
    ProviderNotFound,
)
from app.domain.jobs import Method, Millis
from app.domain.offers import ListState, Offer
from app.domain.provider import Provider, Recipe


def named(providers: Mapping[str, Provider], name: str) -> Provider:
    """The provider of that name; raises `ProviderNotFound`."""
    provider = providers.get(name)
    if provider is None:
        known = ", ".join(sorted(providers)) or "none"
        raise ProviderNotFound(f"There is no provider {name!r} here; there is {known}.")
    return provider


def checked(provider: Provider, base: BaseModel, method: Method, dataset: Dataset) -> Recipe:
    """The recipe, once all is refused that its parts alone show to be wrong."""
    _check_method(provider, base, method)
    check_kind(dataset, provider.spec.methods[method.type], pointer="/dataset")
    recipe = Recipe(base_model=base, method=method, dataset=dataset.summary)
    faults = provider.check(recipe)
    if faults:
        raise HyperparametersInvalid(
            "The hyperparameters do not fit: " + "; ".join(fault.message for fault in faults),
            faults=faults,
        )
    return recipe


def check_configured(provider: Provider) -> None:
    """Refuse what needs a provider whose options are still to be set."""
    if provider.missing:
        raise ProviderNotConfigured(
            f"{provider.spec.title} is not configured: set {', '.join(provider.missing)}."
        )


def check_open(provider: Provider, base: Offer, *, today: date) -> None:
    """Refuse a job that the provider would not take on that day."""
    if not provider.creation.is_open(today):
        raise CreationClosed(
            f"{provider.spec.title} takes no new jobs since {provider.creation.closes_at}. "
            f"{provider.creation.note or ''}".rstrip()
        )
    if base.training_ends_at is not None and today >= base.training_ends_at:
        raise BaseModelRetired(
            f"{base.name} is trained no more since {base.training_ends_at}; choose another.",
            faults=[Fault("base_model_retired", "choose another base model", "/base_model")],
        )
    if base.state in _NOT_THERE and base.seen_at is not None:
        message = f"{base.name} {_NOT_THERE[base.state]} {provider.spec.title}"
        raise BaseModelNotListed(
            f"{message}, whose own list of models was seen on {_moment(base.seen_at)}. Choose "
            "another base model, or ask for the list anew (POST /providers/<name>/refresh).",
            faults=[Fault("base_model_not_listed", "choose another base model", "/base_model")],
        )


def check_kind(dataset: Dataset, kind: DatasetKind, *, pointer: str) -> None:
    """Refuse a dataset of another kind than is needed."""
    if dataset.kind is not kind:
        raise DatasetKindUnfit(
            f"This needs {kind} examples; {dataset.name}@{dataset.version} holds {dataset.kind} "
            "examples.",
            faults=[Fault("dataset_kind_unfit", f"use a {kind} dataset", pointer)],
        )


def check_size(dataset: Dataset, base: BaseModel, *, held_out: float | None = None) -> None:
    """Refuse a dataset that is too small for the base model once a share of it is set aside."""
    least = base.limits.minimum_examples
    left = dataset.examples - held_out_count(dataset.examples, held_out or 0.0)
    if left < least:
        raise DatasetTooSmall(
            f"{dataset.name}@{dataset.version} leaves {left} examples to train on; {base.name} "
            f"takes {least} at the least, and a robust model wants hundreds.",
            faults=[Fault("dataset_too_small", "add examples", "/dataset")],
        )


_NOT_THERE = {
    ListState.UNLISTED: "is not there, or not for these credentials, at",
    ListState.NOT_TUNABLE: "cannot be tuned by the word of",
}


def _moment(millis: Millis) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _check_method(provider: Provider, base: BaseModel, method: Method) -> None:
    offered = [name for name in provider.spec.methods if name in base.methods]
    if method.type not in offered:
        raise MethodNotSupported(
            f"{base.name} at {provider.spec.title} offers {', '.join(offered) or 'no method'}, "
            f"not {method.type!r}.",
            faults=[Fault("method_not_supported", f"use {' or '.join(offered)}", "/method/type")],
        )
