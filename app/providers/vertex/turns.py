"""Google's turns as messages: the way back of `contents`.

Google names the function that a result is of, canonical messages the call: a result without an id
answers the earliest call of its function that has no result yet.
"""

import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from app.domain.examples import FunctionCall as CalledFunction
from app.domain.examples import Message, RowInvalid, ToolCall
from app.providers.vertex.lines import Answer, Content, FunctionCall, FunctionResponse, Part
from app.providers.vertex.tools import result_part


def messages(contents: Sequence[Content]) -> list[Message]:
    """All turns in order; raises `RowInvalid` for what messages cannot hold."""
    calls = _Calls()
    return [
        message
        for content in contents
        for message in (
            _answers(content.parts, calls)
            if content.role == "model"
            else _asked(content.parts, calls)
        )
    ]


def answers(turn: Answer) -> Iterator[Message]:
    """One turn of the model, mostly one message."""
    return _answers(turn.parts, _Calls())


def content_of(parts: Iterable[Part]) -> str | list[dict[str, Any]]:
    """A text alone as a string, anything else as a list of parts."""
    found = [_part(part) for part in parts]
    match found:
        # White space alone would be an empty turn, as a string.
        case [{"type": "text", "text": str(text)}] if not text.isspace():
            return text
        case _:
            return found


class _Calls:
    """The calls of one conversation, and which of them have their result."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._answered: set[str] = set()

    def made(self, call: FunctionCall) -> ToolCall:
        """A call, with an id of ours where Google gives none."""
        id = call.id or f"call_{len(self._names)}"
        self._names[id] = call.name
        arguments = msgspec.json.encode(call.args or {}).decode()
        return ToolCall(id, CalledFunction(call.name, arguments))

    def answered(self, result: FunctionResponse) -> str:
        """The id of the call that a result is of."""
        named = [id for id, name in self._names.items() if name == result.name]
        if not named:
            raise RowInvalid(
                "tool_call_unknown",
                f"There is a result of {result.name!r}, and no earlier turn called that.",
            )
        waiting = [id for id in named if id not in self._answered]
        id = result.id if result.id in named else [*waiting, named[-1]][0]
        self._answered.add(id)
        return id


def _answers(parts: Sequence[Part], calls: _Calls) -> Iterator[Message]:
    """What is said after a call begins a message of its own, for calls end a message."""
    said, made = list[Part](), list[ToolCall]()
    for part in parts:
        if part.function_call is not None and _is_single(part):
            made.append(calls.made(part.function_call))
            continue
        if made:
            yield _answer(said, made)
            said, made = [], []
        said.append(part)
    yield _answer(said, made)


def _answer(said: Sequence[Part], made: list[ToolCall]) -> Message:
    content = content_of(said) if said else None
    return Message("assistant", content, tool_calls=made or None)


def _asked(parts: Sequence[Part], calls: _Calls) -> Iterator[Message]:
    for is_result, run in groupby(parts, lambda part: part.function_response is not None):
        if is_result:
            yield from (_result(part, calls) for part in run)
        else:
            yield Message("user", content_of(run))


def _result(part: Part, calls: _Calls) -> Message:
    result = part.function_response
    if result is None or not _is_single(part):
        raise _unsupported()
    return Message("tool", _text(result), tool_call_id=calls.answered(result))


def _text(result: FunctionResponse) -> str:
    """The text under `output` where a text was put there, else the object."""
    response = result.response or {}
    match response:
        case {"output": str(text)} if (
            result_part("", text)["functionResponse"]["response"] == response
        ):
            return text
        case _:
            return msgspec.json.encode(response).decode()


def _part(part: Part) -> dict[str, Any]:
    if not _is_single(part):
        raise _unsupported()
    if part.text is not None:
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": _image(part)}}


def _image(part: Part) -> str:
    file, inline = part.file_data, part.inline_data
    if inline is not None and inline.mime_type.startswith("image/"):
        return f"data:{inline.mime_type};base64,{inline.data}"
    if file is None or not file.mime_type.startswith("image/"):
        raise _unsupported()
    # An address is all that is kept of an image: it must tell the type.
    if not (mimetypes.guess_type(file.file_uri)[0] or "").startswith("image/"):
        raise RowInvalid("image_type", f"The address {file.file_uri} does not end as images do.")
    return file.file_uri


def _is_single(part: Part) -> bool:
    return sum(value is not None for value in msgspec.structs.astuple(part)) == 1


def _unsupported() -> RowInvalid:
    return RowInvalid(
        "part_unsupported", "A part is neither a text, an image, a call nor the result of one."
    )
