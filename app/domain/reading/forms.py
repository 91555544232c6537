"""Rows in every accepted form, each recognised by its keys and read as an example."""

from typing import Any, TypeVar

import msgspec

from app.domain.examples import (
    ChatExample,
    Example,
    FunctionCall,
    Message,
    PreferenceExample,
    RowInvalid,
    ToolCall,
    check_example,
)
from app.domain.reading.columns import Columns
from app.domain.reading.faulty import NUMBER_TOO_LARGE, too_deep, why_not_json

_any = msgspec.json.Decoder()
_chat = msgspec.json.Decoder(ChatExample)

Form = TypeVar("Form")


class PromptCompletionRow(msgspec.Struct, forbid_unknown_fields=True):
    """The shortest form of a chat example."""

    prompt: str
    completion: str
    system: str | None = None


class InstructionRow(msgspec.Struct, forbid_unknown_fields=True):
    """Alpaca's form; `input` is what the instruction is about."""

    instruction: str
    output: str
    input: str | None = None
    system: str | None = None


class Turn(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    """One turn in ShareGPT's form."""

    sender: str
    value: str
    weight: int | None = None


class ShareGptRow(msgspec.Struct, forbid_unknown_fields=True):
    """ShareGPT's form; `tools` is a list, or one written as a string."""

    conversations: list[dict[str, Any]]
    system: str | None = None
    tools: list[dict[str, Any]] | str | None = None


class PlainPreferenceRow(msgspec.Struct, forbid_unknown_fields=True):
    """A preference in plain strings."""

    prompt: str
    chosen: str
    rejected: str
    system: str | None = None


class PreferenceInput(msgspec.Struct, forbid_unknown_fields=True):
    """What both answers of OpenAI's preference form reply to."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None


class OpenAIPreferenceRow(msgspec.Struct, forbid_unknown_fields=True):
    """OpenAI's preference form; its guides say `_output` and its schemas also `_completion`."""

    input: PreferenceInput
    preferred_output: list[Message] | None = None
    non_preferred_output: list[Message] | None = None
    preferred_completion: list[Message] | None = None
    non_preferred_completion: list[Message] | None = None


_NO_COLUMNS = Columns()


def decode_row(line: bytes, columns: Columns = _NO_COLUMNS) -> tuple[str, Example]:
    """One row as JSON in whichever form it comes, as (form, canonical example).

    Raises `RowInvalid`.
    """
    try:
        form, example = _decode(line, columns)
    except msgspec.ValidationError as error:
        raise _misshapen(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise why_not_json(line, error) from error
    except RecursionError as error:
        raise too_deep() from error
    check_example(example)
    return form, example


def _decode(line: bytes, columns: Columns) -> tuple[str, Example]:
    if not columns and line.startswith((b'{"messages":', b'{"messages" :')):
        return "chat", _chat.decode(line)
    row = _any.decode(line)
    if not isinstance(row, dict):
        raise RowInvalid("row_not_object", 'A row must be a JSON object, such as {"prompt": ...}.')
    named: dict[str, Any] = columns.rename(row) if columns else row
    form = _recognise(named)
    return form, _READERS[form](named)


def _recognise(row: dict[str, Any]) -> str:
    keys = row.keys()
    if "messages" in keys:
        return "chat"
    if any(key in keys for key in ("preferred_output", "preferred_completion")):
        return "openai_preference"
    if "chosen" in keys and "rejected" in keys:
        return "preference" if isinstance(row["chosen"], list) else "plain_preference"
    if "conversations" in keys:
        return "sharegpt"
    if "instruction" in keys:
        return "instruction"
    if "prompt" in keys or "completion" in keys:
        return "prompt_completion"
    raise RowInvalid(
        "row_keys",
        "A row needs `messages`, `prompt` with `completion`, `instruction` with `output`, "
        "`conversations`, or `prompt` with `chosen` and `rejected`; this one has "
        f"{_name(set(keys))}. Say what odd names mean with `columns`.",
    )


def _read_chat(row: dict[str, Any]) -> Example:
    return _convert(row, ChatExample)


def _read_prompt_completion(row: dict[str, Any]) -> Example:
    pair = _convert(row, PromptCompletionRow)
    return ChatExample([*_opening(pair.system, pair.prompt), Message("assistant", pair.completion)])


def _read_instruction(row: dict[str, Any]) -> Example:
    task = _convert(row, InstructionRow)
    asked = f"{task.instruction}\n\n{task.input}" if task.input else task.instruction
    return ChatExample([*_opening(task.system, asked), Message("assistant", task.output)])


def _read_sharegpt(row: dict[str, Any]) -> Example:
    talk = _convert(row, ShareGptRow)
    messages = _turns(talk.conversations)
    if talk.system is not None:
        messages.insert(0, Message("system", talk.system))
    return ChatExample(messages, _tools(talk.tools))


def _read_plain_preference(row: dict[str, Any]) -> Example:
    plain = _convert(row, PlainPreferenceRow)
    return PreferenceExample(
        prompt=_opening(plain.system, plain.prompt),
        chosen=[Message("assistant", plain.chosen)],
        rejected=[Message("assistant", plain.rejected)],
    )


def _read_preference(row: dict[str, Any]) -> Example:
    return _convert(row, PreferenceExample)


def _read_openai_preference(row: dict[str, Any]) -> Example:
    pair = _convert(row, OpenAIPreferenceRow)
    return PreferenceExample(
        prompt=pair.input.messages,
        chosen=_only("preferred", pair.preferred_output, pair.preferred_completion),
        rejected=_only("non_preferred", pair.non_preferred_output, pair.non_preferred_completion),
        tools=pair.input.tools,
        parallel_tool_calls=pair.input.parallel_tool_calls,
    )


_READERS = {
    "chat": _read_chat,
    "prompt_completion": _read_prompt_completion,
    "instruction": _read_instruction,
    "sharegpt": _read_sharegpt,
    "plain_preference": _read_plain_preference,
    "preference": _read_preference,
    "openai_preference": _read_openai_preference,
}

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


def _turns(conversations: list[dict[str, Any]]) -> list[Message]:
    if conversations and "role" in conversations[0]:
        return _convert(conversations, list[Message])
    messages: list[Message] = []
    for number, turn in enumerate(_convert(conversations, list[Turn])):
        sender = _SENDERS.get(turn.sender)
        if sender is None:
            raise RowInvalid(
                "sender_unknown",
                f"`conversations[{number}]`: who is `{turn.sender[:40]}`? Known are "
                f"{', '.join(sorted(_SENDERS))}.",
            )
        messages.append(_message(sender, turn, number))
    return messages


def _message(sender: Any, turn: Turn, number: int) -> Message:
    weight: Any = turn.weight
    if weight not in (None, 0, 1):
        raise RowInvalid("row_shape", f"`conversations[{number}]`: a weight is 0 or 1.")
    if sender == "function_call":
        call = ToolCall(f"call_{number}", _function_call(turn.value, number))
        return Message("assistant", weight=weight, tool_calls=[call])
    # In this form a tool's answer follows its call.
    answered = f"call_{number - 1}" if sender == "tool" else None
    return Message(sender, turn.value, weight=weight, tool_call_id=answered)


def _function_call(value: str, number: int) -> FunctionCall:
    call = _inner_json(value, f"conversations[{number}].value")
    match call:
        case {"name": str(name), "arguments": arguments} if len(call) == 2:
            text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments)
            return FunctionCall(name, text if isinstance(text, str) else text.decode())
        case _:
            raise RowInvalid(
                "row_shape",
                f"`conversations[{number}]`: a call is JSON with `name` and `arguments`.",
            )


def _tools(tools: list[dict[str, Any]] | str | None) -> list[dict[str, Any]] | None:
    if isinstance(tools, str):
        if not tools.strip():
            return None
        tools = _convert(_inner_json(tools, "tools"), list[dict[str, Any]])
    if tools is None:
        return None
    return [tool if "type" in tool else {"type": "function", "function": tool} for tool in tools]


def _inner_json(text: str, where: str) -> Any:
    try:
        return _any.decode(text)
    except msgspec.DecodeError as error:
        raise RowInvalid("cell_not_json", f"`{where}` holds no JSON: {error}.") from error


def _only(
    name: str, output: list[Message] | None, completion: list[Message] | None
) -> list[Message]:
    if (output is None) == (completion is None):
        raise RowInvalid(
            "row_shape", f"The row needs one of `{name}_output` and `{name}_completion`."
        )
    return output if output is not None else completion or []


def _opening(system: str | None, prompt: str) -> list[Message]:
    user = Message("user", prompt)
    return [user] if system is None else [Message("system", system), user]


def _convert(row: Any, form: type[Form]) -> Form:
    return msgspec.convert(row, form)


def _name(keys: set[str]) -> str:
    return ", ".join(f"`{key[:40]}`" for key in sorted(keys)[:8]) or "no keys"


def _misshapen(error: msgspec.ValidationError) -> RowInvalid:
    said = str(error)
    if said.startswith(NUMBER_TOO_LARGE):
        return RowInvalid("number_out_of_range", f"{said}: no program keeps such a number.")
    return RowInvalid("row_shape", said.replace("Object ", "The row ").rstrip(".") + ".")
