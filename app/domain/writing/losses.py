"""What a form has no place for, each with its name, so that nothing is lost in silence."""

from collections.abc import Container, Iterator
from typing import Any

import msgspec

from app.domain.examples import Example, Message

Row = dict[str, Any]
"""A row in some form: texts, numbers, lists, and messages as they are."""


class Loss(msgspec.Struct, frozen=True, gc=False):
    """Something of an example that is not in the row; the rest is."""

    code: str
    message: str


class RowLost(Exception):
    """Why an example has no place in a form at all."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.loss = Loss(code, f"{message} The example is left out.")


_FIELDS = ("name", "weight", "tool_calls", "tool_call_id", "refusal")
_OPTIONS = ("tools", "parallel_tool_calls")


def fields_lost(message: Message, where: str, *, kept: Container[str] = ()) -> Iterator[Loss]:
    """A loss for everything beside role and content that is not `kept`."""
    for field in _FIELDS:
        if field not in kept and getattr(message, field) is not None:
            yield Loss(f"{field}_lost", f"`{where}.{field}` has no place in this form.")


def options_lost(example: Example, *, kept: Container[str] = ()) -> Iterator[Loss]:
    """A loss for everything beside the messages that is not `kept`."""
    for option in _OPTIONS:
        if option not in kept and getattr(example, option) is not None:
            yield Loss(f"{option}_lost", f"`{option}` has no place in this form.")


def role_lost(where: str) -> Loss:
    """The loss of who a developer's message is from."""
    return Loss("role_lost", f"`{where}`: the form has no developer; it becomes the system.")


def text_of(message: Message, where: str, losses: list[Loss], *, kept: Container[str] = ()) -> str:
    """The text of a message in a form where that is all; raises `RowLost` where it is more."""
    if message.role == "tool" or message.tool_calls:
        raise RowLost("tool_calls_lost", f"`{where}`: the form has no place for calls of tools.")
    if isinstance(message.content, list):
        raise RowLost("parts_lost", f"`{where}`: the form has no place for a content of parts.")
    if message.content is None or not message.content.strip():
        raise RowLost("completion_lost", f"`{where}`: the assistant says nothing but a refusal.")
    losses += fields_lost(message, where, kept=kept)
    return message.content


def refuse_equal(chosen: object, rejected: object) -> None:
    """Raise `RowLost` where two answers differ only in what the form has no place for."""
    if chosen == rejected:
        raise RowLost(
            "difference_lost",
            "What tells `chosen` from `rejected` has no place in this form.",
        )
