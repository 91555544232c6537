"""Base models: those of Azure's registries by address, those of Luthier's trainer by `luthier/`."""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from app.domain.catalogue import BaseModel, Catalogue, Creation, read_catalogue
from app.domain.errors import BaseModelUnknown, Fault

TRAINER = "luthier/"
"""What a base model's name begins with that Luthier's own trainer trains."""

_HUB_NAME = re.compile(r"luthier/[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REGISTERED = re.compile(
    r"azureml://registries/[\w.-]+/models/[\w.-]+/(versions|labels)/[\w.-]+|azureml:[\w.-]+:[\w.-]+"
)


class BaseModels:
    """Both catalogues, with what an operator knows better."""

    def __init__(self, correction: Mapping[str, Any]) -> None:
        named = correction.get("models", [])
        ours = [model for model in named if is_trainers(str(model.get("name")))]
        theirs = [model for model in named if model not in ours]
        self._trainer = _Shelf("trainer.toml", {"models": ours})
        self._vendor = _Shelf("catalogue.toml", {**correction, "models": theirs})

    @property
    def creation(self) -> Creation:
        """Whether jobs can be created, as far as the catalogue knows."""
        return self._vendor.known.creation

    @property
    def all(self) -> Sequence[BaseModel]:
        """Those that are known by name."""
        return [*self._vendor.known.models, *self._trainer.known.models]

    def find(self, name: str) -> BaseModel:
        """The base model of that name or form; raises `BaseModelUnknown` with the forms."""
        shelf = self._trainer if is_trainers(name) else self._vendor
        found = shelf.known.find(name)
        if found is not None:
            return found
        if not (_HUB_NAME if is_trainers(name) else _REGISTERED).fullmatch(name):
            message = (
                "give azureml://registries/<registry>/models/<model>/versions/<version>, "
                "azureml:<model>:<version>, or luthier/<org>/<name> of the Hugging Face hub"
            )
            raise BaseModelUnknown(
                f"There is no base model {name!r} here; {message}.",
                faults=[Fault("base_model_unknown", message, "/base_model")],
            )
        return shelf.new(name)


def is_trainers(name: str) -> bool:
    """Whether Luthier's own trainer is to train it."""
    return name.startswith(TRAINER)


class _Shelf:
    """One catalogue; a model that it does not name has what all in it have."""

    def __init__(self, file: str, correction: Mapping[str, Any]) -> None:
        self._packaged = files("app.providers.azure_ml").joinpath(file).read_bytes()
        self._correction = correction
        self.known: Catalogue = read_catalogue(self._packaged, correction)

    def new(self, name: str) -> BaseModel:
        more = {**self._correction, "models": [*self._correction["models"], {"name": name}]}
        found = read_catalogue(self._packaged, more).find(name)
        assert found is not None
        return found
