"""What is known of a provider's base models without asking it: data, with sources and dates.

A provider's folder holds it as `catalogue.toml`; an operator lays corrections over it.
"""

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.errors import BaseModelUnknown, Fault


class Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one hyperparameter may be: a number between bounds, or one of a few words."""

    low: float | None = None
    high: float | None = None
    is_above: bool = False
    """Whether `low` itself is out."""

    is_whole: bool = False
    choices: list[bool | str | int | float] | None = None
    has_auto: bool = True
    """Whether `auto` leaves the choice to the provider."""

    def admits(self, value: Any) -> bool:
        """Whether the value may be sent."""
        if value == "auto" and self.has_auto:
            return True
        if self.choices is not None:
            # True equals 1, and is not what a number is meant by.
            return any(
                value == choice and isinstance(value, bool) is isinstance(choice, bool)
                for choice in self.choices
            )
        kinds = int if self.is_whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            return False
        if self.low is not None and (value <= self.low if self.is_above else value < self.low):
            return False
        return self.high is None or value <= self.high

    def __str__(self) -> str:
        auto = ", or auto" if self.has_auto else ""
        if self.choices is not None:
            return "one of " + ", ".join(_spelled(choice) for choice in self.choices) + auto
        parts = ["a whole number" if self.is_whole else "a number"]
        if self.low is not None:
            parts.append(f"{'above' if self.is_above else 'from'} {self.low:g}")
        if self.high is not None:
            parts.append(f"up to {self.high:g}")
        return " ".join(parts) + auto


class PriceUnit(StrEnum):
    """What a price is paid for."""

    TRAINING_TOKENS = "training_tokens"
    """One million tokens seen in training, each epoch counted."""

    TRAINING_HOURS = "training_hours"
    HOSTING_HOURS = "hosting_hours"
    INPUT_TOKENS = "input_tokens"
    """One million tokens of prompts to the tuned model."""

    OUTPUT_TOKENS = "output_tokens"


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one unit costs in US dollars; tokens are counted by the million."""

    unit: PriceUnit
    usd: Decimal
    source: str
    """Where the price was read."""

    as_of: date
    method: str | None = None
    """Only for this method; None for all."""

    tier: str | None = None
    """The vendor's name for the class of service; None for its usual one."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a provider takes in one training; None where it names no limit."""

    minimum_examples: int = 10
    maximum_examples: int | None = None
    maximum_validation_examples: int | None = None
    maximum_file_bytes: int | None = None
    maximum_example_tokens: int | None = None


class BaseModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that can be tuned: its name at the provider, its size, limits, prices and dates."""

    name: str
    methods: list[str]
    context_length: int | None = None
    parameters: int | None = None
    limits: Limits = Limits()
    hyperparameters: dict[str, dict[str, Bound]] = {}
    """By method: what may be set, and within which bounds."""

    prices: list[Price] = []
    training_ends_at: date | None = None
    """From this day on no training of it can be started."""

    serving_ends_at: date | None = None
    """From this day on neither it nor what was tuned from it answers."""

    note: str | None = None
    source: str | None = None
    tuned_from: str | None = None
    """Whose facts these are, where it is no base model itself but was tuned from one."""


class Creation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether new jobs can be created at the provider, as far as it has told."""

    closes_at: date | None = None
    note: str | None = None
    source: str | None = None

    def is_open(self, today: date) -> bool:
        """Whether a job may be created on that day."""
        return self.closes_at is None or today < self.closes_at


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All base models that are known of one provider."""

    models: list[BaseModel] = []
    creation: Creation = Creation()
    usual: BaseModel = BaseModel("", [])
    """What holds of every model that does not say otherwise."""

    def find(self, name: str) -> BaseModel | None:
        """The base model of that name."""
        return next((model for model in self.models if model.name == name), None)

    def known(self, name: str, *, place: str, base: str | None = None) -> BaseModel:
        """The base model under that name, looked up by `base` where it is a tuned model's own.

        Raises `BaseModelUnknown` with those that are there.
        """
        found = self.find(base or name)
        if found is None:
            names = ", ".join(model.name for model in self.models) or "none"
            message = (
                f"{place} has no base model {name!r} that is known here; there are: {names}. "
                "Add one that is newer to the file that LUTHIER_CATALOGUE names."
            )
            raise BaseModelUnknown(
                message, faults=[Fault("base_model_unknown", message, "/base_model")]
            )
        return msgspec.structs.replace(
            found, name=name, tuned_from=None if found.name == name else found.name
        )

    def newcomer(self, name: str) -> BaseModel:
        """What holds of a model that is known only because the vendor lists it as tunable."""
        return msgspec.structs.replace(
            self.usual,
            name=name,
            # All that "tunable" promises.
            methods=["sft"],
            context_length=None,
            prices=[],
            note="Known from the vendor's own list alone: what it costs is not known, and its "
            "bounds are those that are usual there. The file that LUTHIER_CATALOGUE names can say "
            "more.",
            source="the vendor's own list of models",
        )


class CatalogueInvalid(ValueError):
    """A catalogue or an operator's correction of it cannot be read; the message says why."""


def read_catalogue(packaged: bytes, correction: Mapping[str, Any] | None = None) -> Catalogue:
    """A provider's `catalogue.toml` with an operator's correction laid over it.

    `[defaults]` holds what every model has unless it says otherwise. A correction has the same
    shape: its models replace single fields of the model with that name, or are added. Raises
    `CatalogueInvalid`.
    """
    try:
        known: dict[str, Any] = msgspec.toml.decode(packaged)
        return msgspec.convert(_corrected(known, correction or {}), Catalogue, strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError, TypeError, KeyError) as error:
        raise CatalogueInvalid(f"The catalogue of base models cannot be read: {error}") from error


def bounds_broken(base: BaseModel, method: str, asked: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with a method's hyperparameters, each by its pointer in the body of a job."""
    bounds = base.hyperparameters.get(method, {})
    broken: list[Fault] = []
    for name, value in asked.items():
        pointer = f"/method/hyperparameters/{name}"
        if name not in bounds:
            known = ", ".join(bounds) or "none"
            message = f"There is no hyperparameter {name} here; there are: {known}."
            broken.append(Fault("unknown_hyperparameter", message, pointer))
        elif not bounds[name].admits(value):
            message = f"{name} must be {bounds[name]}."
            broken.append(Fault("hyperparameter_out_of_bounds", message, pointer))
    return broken


def _spelled(choice: bool | str | float) -> str:
    return str(choice).lower() if isinstance(choice, bool) else str(choice)


def _corrected(known: Mapping[str, Any], correction: Mapping[str, Any]) -> dict[str, Any]:
    defaults = dict(known.get("defaults", {})) | dict(correction.get("defaults", {}))
    by_name = {model["name"]: defaults | model for model in known.get("models", [])}
    for model in correction.get("models", []):
        by_name[model["name"]] = defaults | by_name.get(model["name"], {}) | model
    creation = dict(known.get("creation", {})) | dict(correction.get("creation", {}))
    usual = {"methods": [], **defaults, "name": ""}
    return {"models": list(by_name.values()), "creation": creation, "usual": usual}
