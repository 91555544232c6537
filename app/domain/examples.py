"""One example: the one form that is kept, and what every example must be.

Canonical chat:        {"messages": [...], "tools"?: [...], "parallel_tool_calls"?: bool}
Canonical preference:  {"prompt": [...], "chosen": [...], "rejected": [...], "tools"?: [...],
                        "parallel_tool_calls"?: bool}

Messages are OpenAI's. Keys that are not read are refused and not dropped, so that nothing is
lost in silence.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, cast

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.errors import Fault

MAX_LINE_BYTES = 8 * 1024 * 1024
"""No example of any provider comes near it: their context ends long before."""

MAX_DEPTH = 64
"""How deeply a tool's schema or a part of a message may be nested; real ones need a dozen."""


class FunctionCall(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The function an assistant calls; `arguments` is JSON in a string, as OpenAI sends it."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One call of a tool by the assistant."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class Message(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One turn; `weight` 0 keeps an assistant's turn out of the loss."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    weight: Literal[0, 1] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


class ChatExample(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A conversation that shows how the assistant should answer."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None


class PreferenceExample(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A conversation with the answer that is wanted and one that is not."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None


Example = ChatExample | PreferenceExample


class RowInvalid(Exception):
    """Why one row is refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def at(self, line: int) -> Fault:
        """The same verdict with its line."""
        return Fault(self.code, self.message, line=line)


_chat = msgspec.json.Decoder(ChatExample)
_preference = msgspec.json.Decoder(PreferenceExample)
_encoder = msgspec.json.Encoder()
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


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
    if example.tools:
        _check_depth(example.tools, where="tools")
    if isinstance(example, ChatExample):
        if _is_plain(example.messages):
            return
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


def refuse_nul(line: bytes) -> None:
    """Raise `RowInvalid` where a text of a canonical line holds U+0000."""
    if rb"\u0000" in line and _NUL.search(line):
        raise RowInvalid(
            "text_nul", "The row's text holds U+0000, which ends a text for many programs."
        )


def _is_plain(messages: Sequence[Message]) -> bool:
    """A quick yes to most conversations: text from all, the last from the assistant."""
    is_asked = False
    for message in messages:
        content, role = message.content, message.role
        if not isinstance(content, str) or not content or content.isspace():
            return False
        if role == "tool" or message.weight is not None or message.tool_calls is not None:
            return False
        is_asked = is_asked or role == "user"
    return is_asked and messages[-1].role == "assistant"


def _check_conversation(messages: Sequence[Message], *, where: str) -> None:
    if not messages:
        raise RowInvalid("messages_empty", f"`{where}` is empty.")
    for number, message in enumerate(messages):
        _check_message(message, where=f"{where}[{number}]")


def _check_message(message: Message, *, where: str) -> None:
    if isinstance(message.content, list):
        _check_depth(message.content, where=where)
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
    return not content or (isinstance(content, str) and content.isspace())


def _check_answered(messages: Sequence[Message]) -> None:
    if messages[-1].role != "assistant":
        raise RowInvalid("role_order", "The last message must be the assistant's answer.")
    if not any(message.role == "user" for message in messages):
        raise RowInvalid("role_order", "There is no user message to answer.")
    if all(message.weight == 0 for message in messages if message.role == "assistant"):
        raise RowInvalid("weight_zero", "Every assistant message has weight 0: nothing to learn.")


def _check_depth(value: Any, *, where: str) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise RowInvalid("row_too_deep", f"`{where}` is nested too deeply; flatten it.")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list) else ()
