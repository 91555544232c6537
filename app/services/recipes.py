"""Recipes: whether a provider, a base model, a method and a dataset go together."""

import asyncio
from collections.abc import Mapping
from datetime import date

from app.domain.catalogue import BaseModel
from app.domain.datasets import Dataset, DatasetKind
from app.domain.errors import (
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
from app.domain.jobs import Method
from app.domain.provider import Provider, Recipe


def named(providers: Mapping[str, Provider], name: str) -> Provider:
    """The provider of that name; raises `ProviderNotFound`."""
    provider = providers.get(name)
    if provider is None:
        known = ", ".join(sorted(providers)) or "none"
        raise ProviderNotFound(f"There is no provider {name!r} here; there is {known}.")
    return provider


async def checked(provider: Provider, base_model: str, method: Method, dataset: Dataset) -> Recipe:
    """The recipe, once all is refused that its parts alone show to be wrong."""
    base = await asyncio.to_thread(provider.base_model, base_model)
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


def check_open(provider: Provider, base: BaseModel, *, today: date) -> None:
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


def check_kind(dataset: Dataset, kind: DatasetKind, *, pointer: str) -> None:
    """Refuse a dataset of another kind than is needed."""
    if dataset.kind is not kind:
        raise DatasetKindUnfit(
            f"This needs {kind} examples; {dataset.name}@{dataset.version} holds {dataset.kind} "
            "examples.",
            faults=[Fault("dataset_kind_unfit", f"use a {kind} dataset", pointer)],
        )


def check_size(dataset: Dataset, base: BaseModel) -> None:
    """Refuse a dataset that is too small for the base model."""
    least = base.limits.minimum_examples
    if dataset.examples < least:
        raise DatasetTooSmall(
            f"{dataset.name}@{dataset.version} has {dataset.examples} examples; {base.name} takes "
            f"{least} at the least, and a robust model wants hundreds.",
            faults=[Fault("dataset_too_small", "add examples", "/dataset")],
        )


def _check_method(provider: Provider, base: BaseModel, method: Method) -> None:
    offered = [name for name in provider.spec.methods if name in base.methods]
    if method.type not in offered:
        raise MethodNotSupported(
            f"{base.name} at {provider.spec.title} offers {', '.join(offered) or 'no method'}, "
            f"not {method.type!r}.",
            faults=[Fault("method_not_supported", f"use {' or '.join(offered)}", "/method/type")],
        )
