"""Base models of a vendor that names what it tuned as OpenAI does."""

import msgspec

from app.domain.catalogue import BaseModel, Catalogue
from app.domain.errors import BaseModelUnknown, Fault


def base_model(known: Catalogue, name: str, *, vendor: str, advice: str) -> BaseModel:
    """The base model of that name; a tuned one (`ft:...`, checkpoints too) is like its own base.

    Raises `BaseModelUnknown` with the advice on how to make a newer one known.
    """
    found = known.find(_base_of(name))
    if found is None:
        names = ", ".join(model.name for model in known.models) or "none"
        message = (
            f"{vendor} has no base model {name!r} that is known here; there are: {names}. {advice}"
        )
        raise BaseModelUnknown(
            message, faults=[Fault("base_model_unknown", message, "/base_model")]
        )
    return msgspec.structs.replace(found, name=name)


def _base_of(name: str) -> str:
    """`ft:<base>:<organization>:<suffix>:<id>` names its base."""
    parts = name.split(":")
    return parts[1] if len(parts) > 1 and parts[0] == "ft" else name
