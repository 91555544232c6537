"""One line of a training file: which shapes each method takes, and what is wrong with another.

The shapes are those of OpenAI's published schema of a training line, read strictly: what it does
not name is refused, so that no misspelt field passes unseen.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MINIMUM = 10


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Text(_Strict):
    type: Literal["text"]
    text: str


class _Refusal(_Strict):
    type: Literal["refusal"]
    refusal: str


class _ImageUrl(_Strict):
    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class _Image(_Strict):
    type: Literal["image_url"]
    image_url: _ImageUrl


class _Call(_Strict):
    name: str
    arguments: str


class _ToolCall(_Strict):
    id: str
    type: Literal["function"]
    function: _Call


class _Function(_Strict):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = ""
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class _Tool(_Strict):
    type: Literal["function"]
    function: _Function


_Texts = str | Annotated[list[_Text], Field(min_length=1)]


class _Developer(_Strict):
    role: Literal["developer"]
    content: _Texts
    name: str = ""


class _System(_Strict):
    role: Literal["system"]
    content: _Texts
    name: str = ""


class _User(_Strict):
    role: Literal["user"]
    content: str | Annotated[list[_Text | _Image], Field(min_length=1)]
    name: str = ""


class _Assistant(_Strict):
    role: Literal["assistant"]
    content: str | Annotated[list[_Text | _Refusal], Field(min_length=1)] = ""
    refusal: str | None = None
    name: str = ""
    tool_calls: list[_ToolCall] = []
    function_call: _Call | None = None


class _WeighedAssistant(_Assistant):
    weight: Literal[0, 1] = 1


class _ToolResult(_Strict):
    role: Literal["tool"]
    content: _Texts
    tool_call_id: str


class _FunctionResult(_Strict):
    role: Literal["function"]
    content: str | None
    name: str


_Supervised = Annotated[
    _System | _User | _WeighedAssistant | _ToolResult | _FunctionResult,
    Field(discriminator="role"),
]
_Reinforced = Annotated[
    _Developer | _User | _WeighedAssistant | _ToolResult, Field(discriminator="role")
]


class _SupervisedLine(_Strict):
    messages: list[_Supervised] = Field(min_length=1)
    tools: list[_Tool] = []
    parallel_tool_calls: bool = True
    functions: list[_Function] = Field(default_factory=list[_Function], max_length=128)


class _Input(_Strict):
    messages: list[_Supervised] = Field(min_length=1)
    tools: list[_Tool] = []
    parallel_tool_calls: bool = True


class _PreferenceLine(_Strict):
    input: _Input
    preferred_output: list[_Assistant] = Field(min_length=1, max_length=1)
    non_preferred_output: list[_Assistant] = Field(min_length=1, max_length=1)


class _ReinforcementLine(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    messages: list[_Reinforced] = Field(min_length=1)
    tools: list[_Tool] = []


_LINES: dict[str, TypeAdapter[Any]] = {
    "supervised": TypeAdapter(_SupervisedLine),
    "dpo": TypeAdapter(_PreferenceLine),
    "reinforcement": TypeAdapter(_ReinforcementLine),
}


class FileInvalid(Exception):
    """A file that a job fails on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def examples_of(content: bytes, method: str, *, least: int = MINIMUM) -> list[dict[str, Any]]:
    """The examples of a file for a method.

    Raises `FileInvalid` with the first faulty line, or where there are too few.
    """
    examples = [json.loads(line) for line in content.splitlines()]
    for number, example in enumerate(examples, start=1):
        for fault in _faults(example, method):
            message = f"Invalid file format. Line {number}, {fault}"
            raise FileInvalid("invalid_training_file", message)
    if len(examples) < least:
        raise FileInvalid(
            "invalid_n_examples",
            f"Training file has {len(examples)} example(s), but must have at least "
            f"{least} examples",
        )
    return examples


def _faults(example: dict[str, Any], method: str) -> Iterator[str]:
    try:
        _LINES[method].validate_python(example)
    except ValidationError as error:
        entry = error.errors(include_url=False)[0]
        yield f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}"
        return
    if method == "supervised" and not any(
        message["role"] == "assistant" for message in example["messages"]
    ):
        yield "messages: at least one message must be from the assistant"
