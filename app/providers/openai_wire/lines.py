"""One line of a training file as OpenAI's published schema has it, typed so that it is fast.

`line.schema.json` beside it holds the schema itself; the tests hold the two together.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

REFERENCE_ANSWER = "reference_answer"
"""The key under which a reinforcement line carries the answer that graders compare with."""

REFERENCE_TOOL_CALLS = "reference_tool_calls"
"""The key for the tool calls of that answer."""


# A tag may be left out wherever only one kind is allowed; a plain field may not.
class _OnlyText(Struct):
    type: Literal["text"]
    text: str


class _Text(Struct, tag_field="type", tag="text"):
    text: str


class _Refusal(Struct, tag_field="type", tag="refusal"):
    refusal: str


class _ImageUrl(Struct):
    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class _Image(Struct, tag_field="type", tag="image_url"):
    image_url: _ImageUrl


class _AudioData(Struct):
    data: str
    format: Literal["wav", "mp3"]


class _Audio(Struct, tag_field="type", tag="input_audio"):
    input_audio: _AudioData


class _FileData(Struct):
    filename: str = ""
    file_data: str = ""
    file_id: str = ""


class _File(Struct, tag_field="type", tag="file"):
    file: _FileData


_Texts = str | Annotated[list[_OnlyText], Meta(min_length=1)]
_Asked = str | Annotated[list[_Text | _Image | _Audio | _File], Meta(min_length=1)]
_Said = str | Annotated[list[_Text | _Refusal], Meta(min_length=1)]


class _Function(Struct):
    name: str
    description: str = ""
    parameters: dict[str, Any] | UnsetType = UNSET
    strict: bool | None = None


class _Tool(Struct):
    type: Literal["function"]
    function: _Function


class _CalledFunction(Struct):
    name: str
    arguments: str


class _ToolCall(Struct):
    id: str
    type: Literal["function"]
    function: _CalledFunction


class _System(Struct, tag_field="role", tag="system"):
    content: _Texts
    name: str = ""


class _Developer(Struct, tag_field="role", tag="developer"):
    content: _Texts
    name: str = ""


class _User(Struct, tag_field="role", tag="user"):
    content: _Asked
    name: str = ""


class _Reply(Struct):
    content: _Said | UnsetType = UNSET
    refusal: str | None = None
    name: str = ""
    tool_calls: list[_ToolCall] = []
    weight: Literal[0, 1] = 1


class _Assistant(_Reply, tag_field="role", tag="assistant"):
    pass


class _OnlyAssistant(_Reply, kw_only=True):
    role: Literal["assistant"]


class _ToolResult(Struct, tag_field="role", tag="tool"):
    content: _Texts
    tool_call_id: str


_Turns = Annotated[list[_System | _User | _Assistant | _ToolResult], Meta(min_length=1)]
_ReinforcedTurns = Annotated[
    list[_Developer | _User | _Assistant | _ToolResult], Meta(min_length=1)
]
_Answer = Annotated[list[_OnlyAssistant], Meta(max_length=1)]


class _Conversation(Struct):
    messages: _Turns
    tools: list[_Tool] = []
    parallel_tool_calls: bool = True


class _Preference(Struct):
    input: _Conversation
    preferred_output: _Answer
    non_preferred_output: _Answer


class _Reinforcement(Struct):
    messages: _ReinforcedTurns
    tools: list[_Tool] = []


_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "sft": msgspec.json.Decoder(_Conversation),
    "dpo": msgspec.json.Decoder(_Preference),
    "rft": msgspec.json.Decoder(_Reinforcement),
}


def complaint(line: bytes, method: str) -> str | None:
    """What the schema has against a line for a method (`sft`, `dpo`, `rft`), with its place."""
    try:
        _DECODERS[method].decode(line)
    except msgspec.ValidationError as error:
        return str(error)
    return None
