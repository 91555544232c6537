"""Requests in OpenAI's shape as Gemini's, and its answers back: plain values in and out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from app.domain.errors import Fault, Invalid
from app.domain.examples import Message
from app.providers.vertex.contents import conversation
from app.providers.vertex.findings import Findings
from app.providers.vertex.tools import declarations, tool_call

_SETTINGS = {
    "temperature": "temperature",
    "top_p": "topP",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "n": "candidateCount",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}

_PASSED_OVER = frozenset(
    {"model", "stream", "stream_options", "user", "store", "metadata", "parallel_tool_calls"}
)
"""What says nothing to Gemini and changes no answer of one call at a time."""

_TAKEN = frozenset({*_SETTINGS, *_PASSED_OVER}) | {
    "messages", "stop", "tools", "tool_choice", "response_format",
}  # fmt: skip

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}

_ENDINGS = {"STOP": "stop", "MAX_TOKENS": "length"}


class Question(msgspec.Struct, frozen=True):
    """`contents` and `config` as `generate_content` takes them, in Google's camel case."""

    contents: list[dict[str, Any]]
    config: dict[str, Any]


def question(request: Mapping[str, Any]) -> Question:
    """The request as Gemini takes it; raises `Invalid` for what it cannot carry."""
    said = {name: value for name, value in request.items() if value is not None}
    strange = sorted(said.keys() - _TAKEN)
    if strange:
        faults = [Fault("field_unsupported", "leave it out", f"/{name}") for name in strange]
        raise Invalid(f"Gemini is not sent {', '.join(strange)}.", faults=faults)
    findings = Findings()
    found = conversation(_messages(said.get("messages")), findings)
    config = {_SETTINGS[name]: value for name, value in said.items() if name in _SETTINGS}
    if found.system:
        config["systemInstruction"] = {"parts": found.system}
    if said.get("tools"):
        config["tools"] = declarations(said["tools"], findings)
    config |= {**_stop(said), **_tool_choice(said), **_format(said)}
    if findings.errors:
        raise Invalid(findings.errors[0].message, faults=findings.errors)
    return Question(found.contents, config)


def completion(answer: Mapping[str, Any], *, model: str, created: int) -> dict[str, Any]:
    """A chat completion for one answer; `created` is in seconds."""
    choices = [_choice(candidate, place) for place, candidate in enumerate(_candidates(answer))]
    return {
        "id": f"chatcmpl-{answer.get('responseId', '')}",
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": choices,
        "usage": _usage(answer),
    }


class Chunks:
    """The chunks of one streamed answer; `is_whole` once Gemini said that it ended."""

    def __init__(self, *, model: str, created: int, with_usage: bool) -> None:
        self._model = model
        self._created = created
        self._with_usage = with_usage
        self._calls: dict[int, int] = {}
        self.is_whole = False

    def of(self, answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What one piece of the answer becomes."""
        for place, candidate in enumerate(_candidates(answer)):
            index = candidate.get("index", place)
            reason = self._reason(candidate, index)
            choice = {
                "index": index,
                "delta": self._delta(candidate, index),
                "finish_reason": reason,
            }
            self.is_whole = self.is_whole or reason is not None
            yield self._chunk(answer, [choice])
        if self.is_whole and self._with_usage:
            yield self._chunk(answer, []) | {"usage": _usage(answer)}

    def _delta(self, candidate: Mapping[str, Any], index: int) -> dict[str, Any]:
        delta: dict[str, Any] = {} if index in self._calls else {"role": "assistant"}
        before = self._calls.setdefault(index, 0)
        text = _text(candidate)
        if text:
            delta["content"] = text
        calls = _calls(candidate, before)
        if calls:
            delta["tool_calls"] = [
                {"index": before + place} | call for place, call in enumerate(calls)
            ]
            self._calls[index] += len(calls)
        return delta

    def _reason(self, candidate: Mapping[str, Any], index: int) -> str | None:
        has_called = bool(self._calls.get(index)) or bool(_calls(candidate, 0))
        return _ending(candidate, has_called=has_called)

    def _chunk(self, answer: Mapping[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{answer.get('responseId', '')}",
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }


def _messages(said: Any) -> list[Message]:
    try:
        messages = msgspec.convert(said, list[Message])
    except msgspec.ValidationError as error:
        fault = Fault("messages_invalid", str(error), "/messages")
        raise Invalid(f"The messages cannot be sent to Gemini: {error}", faults=[fault]) from error
    if not messages:
        raise Invalid(
            "There are no messages.", faults=[Fault("messages_empty", "add one", "/messages")]
        )
    return messages


def _stop(said: Mapping[str, Any]) -> dict[str, Any]:
    stop = said.get("stop")
    if not stop:
        return {}
    return {"stopSequences": [stop] if isinstance(stop, str) else stop}


def _tool_choice(said: Mapping[str, Any]) -> dict[str, Any]:
    match said.get("tool_choice"):
        case None:
            return {}
        case str(word) if word in _MODES:
            calling: dict[str, Any] = {"mode": _MODES[word]}
        case {"type": "function", "function": {"name": str(name)}}:
            calling = {"mode": "ANY", "allowedFunctionNames": [name]}
        case _:
            fault = Fault("field_unsupported", "auto, none, required or a function", "/tool_choice")
            raise Invalid("This tool_choice is not sent to Gemini.", faults=[fault])
    return {"toolConfig": {"functionCallingConfig": calling}}


def _format(said: Mapping[str, Any]) -> dict[str, Any]:
    match said.get("response_format"):
        case None | {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return {"responseMimeType": "application/json"}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"responseMimeType": "application/json", "responseJsonSchema": schema}
        case _:
            fault = Fault(
                "field_unsupported", "text, json_object or json_schema", "/response_format"
            )
            raise Invalid("This response_format is not sent to Gemini.", faults=[fault])


def _candidates(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A question that was blocked has no candidate; it counts as one that says nothing."""
    candidates = answer.get("candidates")
    if candidates:
        return candidates
    return [{"finishReason": "SAFETY"}] if answer.get("promptFeedback") else []


def _choice(candidate: Mapping[str, Any], place: int) -> dict[str, Any]:
    calls = _calls(candidate, 0)
    message: dict[str, Any] = {"role": "assistant", "content": _text(candidate)}
    if calls:
        message["content"] = message["content"] or None
        message["tool_calls"] = calls
    return {
        "index": candidate.get("index", place),
        "message": message,
        "finish_reason": _ending(candidate, has_called=bool(calls)) or "stop",
    }


def _ending(candidate: Mapping[str, Any], *, has_called: bool) -> str | None:
    """Whatever is neither an end nor the limit is some filter of Google's."""
    reason = candidate.get("finishReason")
    if reason is None or reason == "FINISH_REASON_UNSPECIFIED":
        return None
    if reason == "STOP" and has_called:
        return "tool_calls"
    return _ENDINGS.get(reason, "content_filter")


def _parts(candidate: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    parts = (candidate.get("content") or {}).get("parts") or []
    return [part for part in parts if not part.get("thought")]


def _text(candidate: Mapping[str, Any]) -> str:
    return "".join(part.get("text") or "" for part in _parts(candidate))


def _calls(candidate: Mapping[str, Any], before: int) -> list[dict[str, Any]]:
    called = [part for part in _parts(candidate) if "functionCall" in part]
    return [tool_call(part, before + place) for place, part in enumerate(called)]


def _usage(answer: Mapping[str, Any]) -> dict[str, int]:
    counted: Mapping[str, Any] = answer.get("usageMetadata") or {}
    asked = counted.get("promptTokenCount") or 0
    # Thoughts are paid like the rest of an answer, and counted beside it.
    said = (counted.get("candidatesTokenCount") or 0) + (counted.get("thoughtsTokenCount") or 0)
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
