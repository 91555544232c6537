"""The forms that a dataset can be written in, each the inverse of how it is read."""

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum, auto
from typing import Any

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.errors import DatasetKindUnfit
from app.domain.writing.losses import Loss, Row
from app.domain.writing.messages import (
    write_canonical,
    write_conversational,
    write_openai_preference,
)
from app.domain.writing.sharegpt import write_sharegpt, write_sharegpt_preference
from app.domain.writing.texts import (
    write_instruction,
    write_plain_preference,
    write_prompt_completion,
)


class FormName(StrEnum):
    """The forms under the names that an upload reports."""

    CHAT = "chat"
    PROMPT_COMPLETION = "prompt_completion"
    CONVERSATIONAL_PROMPT_COMPLETION = "conversational_prompt_completion"
    INSTRUCTION = "instruction"
    SHAREGPT = "sharegpt"
    PREFERENCE = "preference"
    PLAIN_PREFERENCE = "plain_preference"
    OPENAI_PREFERENCE = "openai_preference"


class Cell(Enum):
    """What stands in a column."""

    TEXT = auto()
    FLAG = auto()
    MESSAGES = auto()
    LISTS = auto()
    """Messages under a name that may also mean a text, so that they cannot be told as JSON."""

    TURNS = auto()
    TURN = auto()
    PAIRS = auto()
    JSON = auto()


class Form(msgspec.Struct, frozen=True):
    """How one kind of example becomes a row, and the columns that rows may have, in order."""

    name: FormName
    columns: Mapping[str, Cell]
    write: Callable[[Any, list[Loss]], Row]
    """Raises `RowLost` for an example that has no place; adds what the row is without."""

    @property
    def fits_tables(self) -> bool:
        """Whether a table, whose cells are texts, can hold it without doubt."""
        return Cell.LISTS not in self.columns.values()


CANONICAL = {DatasetKind.CHAT: FormName.CHAT, DatasetKind.PREFERENCE: FormName.PREFERENCE}


def form_of(kind: DatasetKind, name: FormName | None) -> Form:
    """The form for a kind of dataset; without a name the one that is kept.

    Raises `DatasetKindUnfit`.
    """
    forms = _FORMS[kind]
    form = forms.get(name or CANONICAL[kind])
    if form is None:
        raise DatasetKindUnfit(
            f"A {kind} dataset cannot be written as {name}; choose one of {', '.join(forms)}."
        )
    return form


_SYSTEM = {"system": Cell.TEXT}
_OPTIONS = {"tools": Cell.JSON, "parallel_tool_calls": Cell.FLAG}

_CHAT_FORMS = [
    Form(FormName.CHAT, {"messages": Cell.MESSAGES, **_OPTIONS}, write_canonical),
    Form(
        FormName.PROMPT_COMPLETION,
        {**_SYSTEM, "prompt": Cell.TEXT, "completion": Cell.TEXT},
        write_prompt_completion,
    ),
    Form(
        FormName.CONVERSATIONAL_PROMPT_COMPLETION,
        {"prompt": Cell.LISTS, "completion": Cell.LISTS, **_OPTIONS},
        write_conversational,
    ),
    Form(
        FormName.INSTRUCTION,
        {
            **_SYSTEM,
            "instruction": Cell.TEXT,
            "input": Cell.TEXT,
            "output": Cell.TEXT,
            "history": Cell.PAIRS,
        },
        write_instruction,
    ),
    Form(
        FormName.SHAREGPT,
        {**_SYSTEM, "conversations": Cell.TURNS, "tools": Cell.JSON},
        write_sharegpt,
    ),
]
_PREFERENCE_FORMS = [
    Form(
        FormName.PREFERENCE,
        {"prompt": Cell.LISTS, "chosen": Cell.LISTS, "rejected": Cell.LISTS, **_OPTIONS},
        write_canonical,
    ),
    Form(
        FormName.PLAIN_PREFERENCE,
        {**_SYSTEM, "prompt": Cell.TEXT, "chosen": Cell.TEXT, "rejected": Cell.TEXT},
        write_plain_preference,
    ),
    Form(
        FormName.OPENAI_PREFERENCE,
        {"input": Cell.JSON, "preferred_output": Cell.JSON, "non_preferred_output": Cell.JSON},
        write_openai_preference,
    ),
    Form(
        FormName.SHAREGPT,
        {
            **_SYSTEM,
            "conversations": Cell.TURNS,
            "chosen": Cell.TURN,
            "rejected": Cell.TURN,
            "tools": Cell.JSON,
        },
        write_sharegpt_preference,
    ),
]
_FORMS = {
    DatasetKind.CHAT: {form.name: form for form in _CHAT_FORMS},
    DatasetKind.PREFERENCE: {form.name: form for form in _PREFERENCE_FORMS},
}
