"""OpenAI's base models: the catalogue, and what was tuned from one of them."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, Catalogue, read_catalogue
from app.domain.errors import BaseModelUnknown, Fault


def catalogue(correction: Mapping[str, Any]) -> Catalogue:
    """The packaged catalogue with an operator's corrections; raises `CatalogueInvalid`."""
    packaged = files("app.providers.openai").joinpath("catalogue.toml").read_bytes()
    return read_catalogue(packaged, correction)


def base_model(known: Catalogue, name: str) -> BaseModel:
    """The base model of that name; a tuned one (`ft:...`, checkpoints too) is like its own base.

    Raises `BaseModelUnknown`.
    """
    found = known.find(_base_of(name))
    if found is None:
        names = ", ".join(model.name for model in known.models)
        message = (
            f"OpenAI has no base model {name!r} that is known here; there are: {names}. "
            "Add one that is newer to the file that LUTHIER_CATALOGUE names."
        )
        raise BaseModelUnknown(
            message, faults=[Fault("base_model_unknown", message, "/base_model")]
        )
    return msgspec.structs.replace(found, name=name)


def _base_of(name: str) -> str:
    """`ft:<base>:<organization>:<suffix>:<id>` names its base."""
    parts = name.split(":")
    return parts[1] if len(parts) > 1 and parts[0] == "ft" else name
