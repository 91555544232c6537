"""The lines that Gemini is tuned with, as far as canonical examples can say the same.

Keys that are not here are refused and not dropped. The fields are those of Google's `Content`:
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Content
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class _Google(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Keys in camel case, all of them known."""


class FunctionCall(_Google, frozen=True):
    """What the model calls."""

    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class FunctionResponse(_Google, frozen=True):
    """What came of a call."""

    name: str
    response: dict[str, Any] | None = None
    id: str | None = None


class FileData(_Google, frozen=True):
    """A file in Cloud Storage."""

    file_uri: str
    mime_type: str


class InlineData(_Google, frozen=True):
    """A file in the line, in base 64."""

    data: str
    mime_type: str


class Part(_Google, frozen=True):
    """One piece of a turn: exactly one of these."""

    text: str | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    file_data: FileData | None = None
    inline_data: InlineData | None = None


Parts = Annotated[list[Part], Meta(min_length=1)]


class Instruction(_Google, frozen=True):
    """The system's; its role says nothing."""

    parts: Parts
    role: str | None = None


class Content(_Google, frozen=True):
    """One turn."""

    parts: Parts
    role: Literal["user", "model"]


class Answer(_Google, frozen=True):
    """A turn of the model."""

    parts: Parts
    role: Literal["model"] = "model"


class Completion(_Google, frozen=True):
    """One of the two answers of a preference; the better one has the higher score."""

    score: float
    completion: Answer


class Declaration(_Google, frozen=True):
    """One function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None


class Tool(_Google, frozen=True):
    """Functions; Google's own tools have no counterpart."""

    function_declarations: list[Declaration]


class Line(_Google, frozen=True):
    """One example, a preference where there are `completions`."""

    contents: list[Content]
    system_instruction: Instruction | None = None
    tools: list[Tool] | None = None
    completions: Annotated[list[Completion], Meta(min_length=2, max_length=2)] | None = None
