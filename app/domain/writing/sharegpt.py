"""ShareGPT's form: turns with `from` and `value`, calls of tools as JSON in the value."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain.examples import ChatExample, Message, PreferenceExample, ToolCall
from app.domain.writing.losses import (
    Loss,
    Row,
    RowLost,
    fields_lost,
    options_lost,
    refuse_equal,
    role_lost,
    text_of,
)

Placed = tuple[str, Message]
"""A message and where it stands in the example."""

_MAX_BRACKETS = 500
"""What no reader's recursion has a problem with."""

_SENDERS = {"system": "system", "developer": "system", "user": "human", "assistant": "gpt"}


def write_sharegpt(example: ChatExample, losses: list[Loss]) -> Row:
    """A conversation; a leading system prompt has a column of its own."""
    row, placed = _opening(example.messages, "messages", losses)
    row["conversations"] = _turns(placed, losses)
    return row | _tools(example, losses)


def write_sharegpt_preference(example: PreferenceExample, losses: list[Loss]) -> Row:
    """The same with one turn each for the two answers."""
    row, placed = _opening(example.prompt, "prompt", losses)
    row["conversations"] = _turns(placed, losses)
    row["chosen"] = _answer(example.chosen, "chosen", losses, number=len(placed))
    row["rejected"] = _answer(example.rejected, "rejected", losses, number=len(placed))
    refuse_equal(row["chosen"], row["rejected"])
    return row | _tools(example, losses)


def _opening(
    messages: Sequence[Message], where: str, losses: list[Loss]
) -> tuple[Row, list[Placed]]:
    placed = [(f"{where}[{number}]", message) for number, message in enumerate(messages)]
    place, first = placed[0]
    if first.role not in ("system", "developer"):
        return {}, placed
    if first.role == "developer":
        losses.append(role_lost(place))
    return {"system": text_of(first, place, losses)}, placed[1:]


def _turns(placed: Sequence[Placed], losses: list[Loss]) -> list[Row]:
    turns: list[Row] = []
    before: Message | None = None
    for number, (place, message) in enumerate(placed):
        if message.role == "tool":
            turns.append(_observation(message, place, before, losses))
        elif message.tool_calls:
            turns.append(_call(message, message.tool_calls, place, losses, number=number))
        else:
            turns.append(_text(message, place, losses))
        before = message
    return turns


def _answer(messages: Sequence[Message], where: str, losses: list[Loss], *, number: int) -> Row:
    if len(messages) != 1:
        raise RowLost("turns_lost", f"The form has one answer, and `{where}` has {len(messages)}.")
    [message] = messages
    if message.tool_calls:
        return _call(message, message.tool_calls, f"{where}[0]", losses, number=number)
    return _text(message, f"{where}[0]", losses)


def _text(message: Message, place: str, losses: list[Loss]) -> Row:
    if message.role == "developer":
        losses.append(role_lost(place))
    text = text_of(message, place, losses, kept=("weight",))
    return _turn(_SENDERS[message.role], text, message.weight)


def _call(
    message: Message, calls: list[ToolCall], place: str, losses: list[Loss], *, number: int
) -> Row:
    if len(calls) > 1:
        raise RowLost("tool_calls_lost", f"`{place}`: the form has one call of a tool in a turn.")
    [call] = calls
    if call.id != f"call_{number}":
        losses.append(
            Loss("tool_call_id_lost", f"`{place}.tool_calls[0].id` has no place in this form.")
        )
    if message.content is not None:
        losses.append(
            Loss("content_lost", f"`{place}.content` has no place beside a call of a tool.")
        )
    losses += fields_lost(message, place, kept=("weight", "tool_calls"))
    told = {"name": call.function.name, "arguments": _arguments(call.function.arguments)}
    return _turn("function_call", msgspec.json.encode(told).decode(), message.weight)


def _arguments(text: str) -> Any:
    """The arguments as JSON, where that gives the same text again, or else the text."""
    if text.count("{") + text.count("[") > _MAX_BRACKETS:
        return text
    try:
        arguments = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    is_same = isinstance(arguments, dict) and msgspec.json.encode(arguments) == text.encode()
    return arguments if is_same else text


def _observation(message: Message, place: str, before: Message | None, losses: list[Loss]) -> Row:
    called = [call.id for call in before.tool_calls or ()] if before is not None else []
    if called != [message.tool_call_id]:
        raise RowLost(
            "tool_calls_lost", f"`{place}`: in this form an answer follows its call at once."
        )
    if isinstance(message.content, list):
        raise RowLost("parts_lost", f"`{place}`: the form has no place for a content of parts.")
    if message.content is None:
        losses.append(Loss("content_lost", f"`{place}`: no content becomes an empty text."))
    losses += fields_lost(message, place, kept=("tool_call_id",))
    return _turn("observation", message.content or "", None)


def _turn(sender: str, value: str, weight: int | None) -> Row:
    turn: Row = {"from": sender, "value": value}
    return turn if weight is None else turn | {"weight": weight}


def _tools(example: ChatExample | PreferenceExample, losses: list[Loss]) -> Row:
    losses += options_lost(example, kept=("tools",))
    if example.tools is None:
        return {}
    if any("type" not in tool for tool in example.tools):
        losses.append(Loss("tools_lost", "A tool of `tools` has no `type`, as the form needs."))
        return {}
    return {"tools": msgspec.json.encode(example.tools).decode()}
