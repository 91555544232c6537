"""Azure OpenAI's base models: the catalogue, and what was tuned from one of them."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, Catalogue, PriceUnit, read_catalogue


def catalogue(correction: Mapping[str, Any], *, sku: str) -> Catalogue:
    """The packaged catalogue with an operator's corrections; raises `CatalogueInvalid`.

    Of the prices by class of service, only those of the connection's own deployments stay.
    """
    packaged = files("app.providers.azure_openai").joinpath("catalogue.toml").read_bytes()
    known = read_catalogue(packaged, correction)
    return msgspec.structs.replace(known, models=[_priced(model, sku) for model in known.models])


def base_of(name: str) -> str:
    """`<base>.ft-<digits>-<suffix>` names its base; a checkpoint (`ftchkpt-...`) does not."""
    return name.partition(".ft-")[0]


def base_of_tuned(name: str) -> str | None:
    """The base of `<base>.ft-...`; None for a base model."""
    base = base_of(name)
    return None if base == name else base


def is_checkpoint(name: str) -> bool:
    """Whether it is a checkpoint of a tuned model."""
    return name.startswith("ftchkpt-")


def hosting_price(known: Catalogue, artifact: str) -> Decimal | None:
    """What an hour of a tuned model's deployment costs, in US dollars; None if not known."""
    model = known.find(base_of(artifact))
    prices = model.prices if model else []
    return next((one.usd for one in prices if one.unit is PriceUnit.HOSTING_HOURS), None)


def _priced(model: BaseModel, sku: str) -> BaseModel:
    """The model with its deployments' price as the usual one."""
    prices = [
        msgspec.structs.replace(price, tier=None)
        for price in model.prices
        if price.tier is None or price.tier.lower() == sku.lower()
    ]
    return msgspec.structs.replace(model, prices=prices)
