"""Methods and hyperparameters between OpenAI's words and ours."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from app.api.job_wishes import Hyperparameters
from app.api.shapes import In
from app.domain.jobs import Job, Method

METHODS: Mapping[str, str] = {"supervised": "sft", "dpo": "dpo", "reinforcement": "rft"}

_OPENAI_METHODS = {ours: theirs for theirs, ours in METHODS.items()}

Values = Annotated[
    Hyperparameters,
    Field(
        default_factory=dict[str, JsonValue],
        description="OpenAI's names; others go to the provider as they are.",
        examples=[{"n_epochs": 3, "batch_size": "auto"}],
    ),
]


class MethodSettingsIn(In):
    """How one method works."""

    hyperparameters: Values
    grader: dict[str, JsonValue] | None = Field(
        default=None, description="What a reinforcement is judged by."
    )


class MethodIn(In):
    """How to train."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: MethodSettingsIn | None = None
    dpo: MethodSettingsIn | None = None
    reinforcement: MethodSettingsIn | None = None


def method_of(method: MethodIn | None, hyperparameters: Mapping[str, Any]) -> Method:
    """What is asked for, the older place of hyperparameters included; `auto` is left out."""
    name = method.type if method else "supervised"
    settings: MethodSettingsIn | None = getattr(method, name, None)
    asked = dict(hyperparameters) | (settings.hyperparameters if settings else {})
    if settings and settings.grader is not None:
        asked["grader"] = settings.grader
    return Method(
        METHODS[name],
        {_OURS.get(key, key): value for key, value in asked.items() if value not in _UNASKED},
    )


def shown_method(job: Job, used: Mapping[str, Any]) -> dict[str, Any] | None:
    """The method of a job in OpenAI's shape; None for one that OpenAI does not know."""
    name = _OPENAI_METHODS.get(job.method.type)
    if name is None:
        return None
    settings: dict[str, Any] = {"hyperparameters": shown_hyperparameters(job, used)}
    if name == "reinforcement":
        settings["grader"] = job.method.hyperparameters.get("grader")
    return {"type": name, name: settings}


def shown_hyperparameters(job: Job, used: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters as used, else as asked for; what OpenAI could not say is left out."""
    known = job.method.hyperparameters | dict(used)
    names = [*_EVERY_METHOD, *_MORE.get(job.method.type, ())]
    found = {name: known.get(_OURS.get(name, name), "auto") for name in names}
    return {name: fitted for name, value in found.items() if (fitted := _fitted(name, value))}


_OURS: Mapping[str, str] = {"n_epochs": "epochs"}

_UNASKED = ("auto", "default", None)

_EVERY_METHOD = ("n_epochs", "batch_size", "learning_rate_multiplier")

_MORE: Mapping[str, tuple[str, ...]] = {
    "dpo": ("beta",),
    "rft": ("reasoning_effort", "compute_multiplier", "eval_interval", "eval_samples"),
}

_WHOLE: Mapping[str, int] = {
    "n_epochs": 50,
    "batch_size": 256,
    "eval_interval": 2**31,
    "eval_samples": 2**31,
}
"""Whole numbers from one up to these."""


def _fitted(name: str, value: Any) -> Any:
    """The value as OpenAI's schema has it; None where it has no place."""
    if name == "reasoning_effort":
        return "default" if value == "auto" else value
    if value == "auto" or name not in _WHOLE:
        return value
    is_whole = isinstance(value, int | float) and float(value).is_integer()
    return int(value) if is_whole and 1 <= value <= _WHOLE[name] else None
