"""A recipe in another provider's words: what carries over, what is fitted, what is left out."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, Bound
from app.domain.errors import Fault, MethodNotSupported
from app.domain.jobs import Method
from app.domain.migrations import Note

AUTO = "auto"

TRANSLATABLE = ("sft", "dpo")

RATES = frozenset({"learning_rate", "learning_rate_multiplier"})

SPELLINGS: Mapping[str, str] = {"lora_rank": "adapter_size", "adapter_size": "lora_rank"}
"""One number under two names."""

_ACCUMULATION = "gradient_accumulation_steps"

_CARRIED = "carried over"
_ASKED = "as asked for"
_LEFT_OUT = "there is no such setting there"
_UNFIT = "the value has no counterpart there"
_ACCUMULATED = (
    "batch_size times gradient_accumulation_steps, which is how many examples make one update"
)
_RATE = (
    "a learning rate suits one base model, and a multiplier scales a rate that only its vendor "
    "knows"
)


class Translation(msgspec.Struct, frozen=True):
    """The method as the other provider takes it, and what became of each value."""

    method: Method
    notes: list[Note]


def translate(method: Method, to: BaseModel, *, keeps_rate: bool) -> Translation:
    """The method for another base model; what is `auto` stays the provider's choice.

    Learning rates are kept where `keeps_rate` says that they mean the same there. Raises
    `MethodNotSupported` for what has no counterpart elsewhere.
    """
    check_translatable(method)
    bounds = to.hyperparameters.get(method.type)
    given = {name: value for name, value in method.hyperparameters.items() if value != AUTO}
    notes = [
        (None, Note(field=name, before=value, after=AUTO, why=_RATE))
        if name in RATES and not (keeps_rate and _takes(bounds, name))
        else _fitted(name, value, bounds)
        for name, value in given.items()
    ]
    notes = _accumulated(given, notes, bounds)
    return Translation(Method(method.type, _values(notes)), [note for _, note in notes])


def overridden(translation: Translation, asked: Mapping[str, Any]) -> Translation:
    """The translation with what a person asks for in the other provider's own words."""
    before = {note.field: note.before for note in translation.notes}
    kept = [note for note in translation.notes if note.field not in asked]
    told = [
        Note(field=name, before=before.get(name), after=value, why=_ASKED)
        for name, value in asked.items()
    ]
    values = {**translation.method.hyperparameters, **asked}
    return Translation(Method(translation.method.type, values), [*kept, *told])


def check_translatable(method: Method) -> None:
    """Raise `MethodNotSupported` for a method that no other provider has in the same form."""
    if method.type not in TRANSLATABLE:
        raise MethodNotSupported(
            f"A model tuned by {method.type} cannot be made anew elsewhere: its rewards belong to "
            f"its vendor. {' and '.join(TRANSLATABLE)} can.",
            faults=[Fault("method_not_supported", "no counterpart elsewhere", "/method/type")],
        )


_Named = tuple[str | None, Note]
"""The name of the value over there, None where there is none, and what is told of it."""


def _fitted(name: str, value: Any, bounds: Mapping[str, Bound] | None) -> _Named:
    if bounds is None:
        return name, Note(field=name, before=value, after=value, why=_CARRIED)
    there = name if name in bounds else SPELLINGS.get(name)
    if there is None or there not in bounds:
        return None, Note(field=name, before=value, after=None, why=_LEFT_OUT)
    nearest = _nearest(bounds[there], value)
    if nearest is None:
        return None, Note(field=name, before=value, after=None, why=_UNFIT)
    why = _CARRIED if there == name else f"called {there} there"
    if nearest != value:
        why = f"the closest to it: {there} is {bounds[there]}"
    return there, Note(field=name, before=value, after=nearest, why=why)


def _takes(bounds: Mapping[str, Bound] | None, name: str) -> bool:
    return bounds is None or name in bounds


def _accumulated(
    given: Mapping[str, Any], notes: list[_Named], bounds: Mapping[str, Bound] | None
) -> list[_Named]:
    """The batch as the examples of one update, where the provider takes no accumulation."""
    if _ACCUMULATION not in given or "batch_size" not in given or _takes(bounds, _ACCUMULATION):
        return notes
    size = given["batch_size"]
    there, note = _fitted("batch_size", size * given[_ACCUMULATION], bounds)
    if there is None:
        return notes
    folded = there, msgspec.structs.replace(note, before=size, why=_ACCUMULATED)
    return [folded if one.field == "batch_size" else (name, one) for name, one in notes]


def _values(notes: list[_Named]) -> dict[str, Any]:
    return {there: note.after for there, note in notes if there is not None}


def _nearest(bound: Bound, value: Any) -> Any:
    """The closest value that may be sent; None where there is none."""
    if bound.admits(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if bound.choices is not None:
        return _closest(bound.choices, value)
    number = round(value) if bound.is_whole else value
    if bound.low is not None:
        number = max(number, int(bound.low) if bound.is_whole else bound.low)
    if bound.high is not None:
        number = min(number, int(bound.high) if bound.is_whole else bound.high)
    return number if bound.admits(number) else None


def _closest(choices: list[bool | str | int | float], value: float) -> int | float | None:
    numbers = [one for one in choices if not isinstance(one, bool | str)]
    return min(numbers, key=lambda one: (abs(one - value), one), default=None)
