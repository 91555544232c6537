"""One row of a dataset: reading it in any accepted form, and the one form that is kept.

Canonical chat:        {"messages": [...], "tools"?: [...], "parallel_tool_calls"?: bool}
Canonical preference:  {"prompt": [...], "chosen": [...], "rejected": [...], "tools"?: [...]}

Messages are OpenAI's. Keys that are not read are refused and not dropped, so that nothing is
lost in silence.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.errors import Fault

MAX_LINE_BYTES = 8 * 1024 * 1024
"""No example of any provider comes near it: their context ends long before."""


class FunctionCall(msgspec.Struct, forbid_unknown_fields=True):
    """The function an assistant calls; `arguments` is JSON in a string, as OpenAI sends it."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, forbid_unknown_fields=True):
    """One call of a tool by the assistant."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class Message(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One turn; `weight` 0 keeps an assistant's turn out of the loss."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    weight: Literal[0, 1] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


class ChatExample(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A conversation that shows how the assistant should answer."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None


class PreferenceExample(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A conversation with the answer that is wanted and one that is not."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    tools: list[dict[str, Any]] | None = None


Example = ChatExample | PreferenceExample


class PromptCompletionRow(msgspec.Struct, forbid_unknown_fields=True):
    """The shortest form of a chat example."""

    prompt: str
    completion: str
    system: str | None = None


class PlainPreferenceRow(msgspec.Struct, forbid_unknown_fields=True):
    """A preference in plain strings."""

    prompt: str
    chosen: str
    rejected: str
    system: str | None = None


class RowInvalid(Exception):
    """Why one row is refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def at(self, line: int) -> Fault:
        """The same verdict with its line."""
        return Fault(self.code, self.message, line=line)


_any = msgspec.json.Decoder()
_chat = msgspec.json.Decoder(ChatExample)
_prompt_completion = msgspec.json.Decoder(PromptCompletionRow)
_plain_preference = msgspec.json.Decoder(PlainPreferenceRow)
_preference = msgspec.json.Decoder(PreferenceExample)
_encoder = msgspec.json.Encoder()


def decode_row(line: bytes) -> tuple[str, Example]:
    """One line in whichever form it comes, as (format, canonical example); raises `RowInvalid`."""
    format_ = _recognise(line)
    try:
        example = _decode_as(format_, line)
    except msgspec.ValidationError as error:
        raise RowInvalid("row_shape", _speak(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(line, error) from error
    except RecursionError as error:
        raise RowInvalid("row_too_deep", "The row is nested too deeply; flatten it.") from error
    check_example(example)
    return format_, example


def encode_example(example: Example) -> bytes:
    """The canonical bytes of an example, without a line end."""
    return _encoder.encode(example)


def decode_example(line: bytes, kind: DatasetKind) -> Example:
    """A line of a stored dataset."""
    return _chat.decode(line) if kind is DatasetKind.CHAT else _preference.decode(line)


def kind_of(example: Example) -> DatasetKind:
    """What kind of dataset the example belongs to."""
    return DatasetKind.CHAT if isinstance(example, ChatExample) else DatasetKind.PREFERENCE


def check_example(example: Example) -> None:
    """Raise `RowInvalid` where no provider could learn from the example."""
    if isinstance(example, ChatExample):
        _check_conversation(example.messages, where="messages")
        _check_answered(example.messages)
        return
    _check_conversation(example.prompt, where="prompt")
    for where, answer in (("chosen", example.chosen), ("rejected", example.rejected)):
        _check_conversation(answer, where=where)
        if any(message.role != "assistant" for message in answer):
            raise RowInvalid("role_order", f"`{where}` may hold assistant messages only.")
    if example.chosen == example.rejected:
        raise RowInvalid("preference_equal", "`chosen` and `rejected` are the same answer.")


def prompt_and_expected(example: ChatExample) -> tuple[list[Message], str] | None:
    """What to ask and which answer to expect, from the last assistant turn that has text."""
    for index in range(len(example.messages) - 1, 0, -1):
        message = example.messages[index]
        if message.role == "assistant" and isinstance(message.content, str):
            return example.messages[:index], message.content
    return None


def _recognise(line: bytes) -> str:
    """The row's form by its keys, cheaply for the common ones."""
    if line.startswith((b'{"messages":', b'{"messages" :')):
        return "chat"
    try:
        row = _any.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(line, error) from error
    except RecursionError as error:
        raise RowInvalid("row_too_deep", "The row is nested too deeply; flatten it.") from error
    if not isinstance(row, dict):
        raise RowInvalid("row_not_object", 'A row must be a JSON object, such as {"prompt": ...}.')
    keys: set[str] = set(row)  # pyright: ignore[reportUnknownArgumentType]
    if "messages" in keys:
        return "chat"
    if {"chosen", "rejected"} <= keys:
        return "preference" if isinstance(row.get("chosen"), list) else "plain_preference"
    if keys & {"prompt", "completion"}:
        return "prompt_completion"
    raise RowInvalid(
        "row_keys",
        "A row needs `messages`, or `prompt` with `completion`, or `prompt` with `chosen` and "
        f"`rejected`; this one has {_name(keys)}.",
    )


def _decode_as(format_: str, line: bytes) -> Example:
    if format_ == "chat":
        return _chat.decode(line)
    if format_ == "preference":
        return _preference.decode(line)
    if format_ == "plain_preference":
        plain = _plain_preference.decode(line)
        return PreferenceExample(
            prompt=_opening(plain.system, plain.prompt),
            chosen=[Message("assistant", plain.chosen)],
            rejected=[Message("assistant", plain.rejected)],
        )
    pair = _prompt_completion.decode(line)
    return ChatExample([*_opening(pair.system, pair.prompt), Message("assistant", pair.completion)])


def _opening(system: str | None, prompt: str) -> list[Message]:
    user = Message("user", prompt)
    return [user] if system is None else [Message("system", system), user]


def _check_conversation(messages: Sequence[Message], *, where: str) -> None:
    if not messages:
        raise RowInvalid("messages_empty", f"`{where}` is empty.")
    for number, message in enumerate(messages):
        _check_message(message, where=f"{where}[{number}]")


def _check_message(message: Message, *, where: str) -> None:
    if message.role == "assistant":
        if _is_blank(message.content) and not message.tool_calls and not message.refusal:
            raise RowInvalid("completion_empty", f"`{where}`: the assistant says nothing.")
        return
    if message.weight is not None:
        raise RowInvalid("weight_role", f"`{where}`: only assistant messages carry a `weight`.")
    if message.tool_calls:
        raise RowInvalid("tool_calls_role", f"`{where}`: only the assistant calls tools.")
    if message.role == "tool":
        if message.tool_call_id is None:
            raise RowInvalid("tool_call_id", f"`{where}`: a tool message needs `tool_call_id`.")
        return
    if _is_blank(message.content):
        raise RowInvalid("content_empty", f"`{where}`: the {message.role} message is empty.")


def _is_blank(content: str | list[dict[str, Any]] | None) -> bool:
    return not (content.strip() if isinstance(content, str) else content)


def _check_answered(messages: Sequence[Message]) -> None:
    if messages[-1].role != "assistant":
        raise RowInvalid("role_order", "The last message must be the assistant's answer.")
    if not any(message.role == "user" for message in messages):
        raise RowInvalid("role_order", "There is no user message to answer.")
    if all(message.weight == 0 for message in messages if message.role == "assistant"):
        raise RowInvalid("weight_zero", "Every assistant message has weight 0: nothing to learn.")


def _name(keys: set[str]) -> str:
    return ", ".join(f"`{key[:40]}`" for key in sorted(keys)[:8]) or "no keys"


def _not_json(line: bytes, error: Exception) -> RowInvalid:
    try:
        line.decode()
    except UnicodeDecodeError as wrong:
        return RowInvalid(
            "not_utf8",
            f"Byte {wrong.start + 1} of the line is not UTF-8; save the file as UTF-8.",
        )
    return RowInvalid("not_json", f"Not JSON: {error}.")


def _speak(error: msgspec.ValidationError) -> str:
    return str(error).replace("Object ", "The row ").rstrip(".") + "."
