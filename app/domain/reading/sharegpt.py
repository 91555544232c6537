"""ShareGPT's form: turns from somebody, with calls of tools as JSON inside their text."""

from typing import Any

import msgspec

from app.domain.examples import (
    ChatExample,
    Example,
    FunctionCall,
    Message,
    PreferenceExample,
    RowInvalid,
    ToolCall,
)

_any = msgspec.json.Decoder()


class Turn(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    """One turn in ShareGPT's form."""

    sender: str
    value: str
    weight: int | None = None


class ShareGptRow(msgspec.Struct, forbid_unknown_fields=True):
    """A conversation; `tools` is a list, or one written as a string."""

    conversations: list[dict[str, Any]]
    system: str | None = None
    tools: list[dict[str, Any]] | str | None = None


class ShareGptPreferenceRow(ShareGptRow, forbid_unknown_fields=True, kw_only=True):
    """The same with two answers, as LLaMA-Factory has it: each is one turn."""

    chosen: dict[str, Any]
    rejected: dict[str, Any]


def read_sharegpt(row: dict[str, Any]) -> Example:
    """A conversation, or a preference where `chosen` and `rejected` stand beside it."""
    if "chosen" in row or "rejected" in row:
        return _read_preference(msgspec.convert(row, ShareGptPreferenceRow))
    talk = msgspec.convert(row, ShareGptRow)
    return ChatExample(_conversation(talk), _tools(talk.tools))


def _read_preference(pair: ShareGptPreferenceRow) -> Example:
    answered = len(pair.conversations)
    return PreferenceExample(
        prompt=_conversation(pair),
        chosen=_turns([pair.chosen], where="chosen", start=answered),
        rejected=_turns([pair.rejected], where="rejected", start=answered),
        tools=_tools(pair.tools),
    )


def _conversation(talk: ShareGptRow) -> list[Message]:
    messages = _turns(talk.conversations, where="conversations")
    return messages if talk.system is None else [Message("system", talk.system), *messages]


def _turns(turns: list[dict[str, Any]], *, where: str, start: int = 0) -> list[Message]:
    if turns and "role" in turns[0]:
        return msgspec.convert(turns, list[Message])
    messages: list[Message] = []
    for number, turn in enumerate(msgspec.convert(turns, list[Turn]), start=start):
        sender = _SENDERS.get(turn.sender)
        if sender is None:
            raise RowInvalid(
                "sender_unknown",
                f"`{where}[{number - start}]`: who is `{turn.sender[:40]}`? Known are "
                f"{', '.join(sorted(_SENDERS))}.",
            )
        messages.append(_message(sender, turn, number, where=f"{where}[{number - start}]"))
    return messages


_SENDERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
    "function_call": "function_call",
    "tool_call": "function_call",
    "observation": "tool",
    "function_response": "tool",
    "tool": "tool",
}


def _message(sender: Any, turn: Turn, number: int, *, where: str) -> Message:
    weight: Any = turn.weight
    if weight not in (None, 0, 1):
        raise RowInvalid("row_shape", f"`{where}`: a weight is 0 or 1.")
    if sender == "function_call":
        call = ToolCall(f"call_{number}", _function_call(turn.value, where))
        return Message("assistant", weight=weight, tool_calls=[call])
    # In this form a tool's answer follows its call.
    answered = f"call_{number - 1}" if sender == "tool" else None
    return Message(sender, turn.value, weight=weight, tool_call_id=answered)


def _function_call(value: str, where: str) -> FunctionCall:
    call = _inner_json(value, f"{where}.value")
    match call:
        case {"name": str(name), "arguments": arguments} if len(call) == 2:
            text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments)
            return FunctionCall(name, text if isinstance(text, str) else text.decode())
        case _:
            raise RowInvalid("row_shape", f"`{where}`: a call is JSON with `name` and `arguments`.")


def _tools(tools: list[dict[str, Any]] | str | None) -> list[dict[str, Any]] | None:
    if isinstance(tools, str):
        if not tools.strip():
            return None
        tools = msgspec.convert(_inner_json(tools, "tools"), list[dict[str, Any]])
    if tools is None:
        return None
    return [tool if "type" in tool else {"type": "function", "function": tool} for tool in tools]


def _inner_json(text: str, where: str) -> Any:
    try:
        return _any.decode(text)
    except msgspec.DecodeError as error:
        raise RowInvalid("cell_not_json", f"`{where}` holds no JSON: {error}.") from error
