"""Chat completions that are the same every time: what was taught by heart, or a plain sentence."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import EVENT_STREAM, Asked, Refused, Reply
from app.sandbox.openai.answers import Message, prompt_key
from app.sandbox.openai.identity import new_id
from app.sandbox.openai.models import Models

_WORD = re.compile(r"\s*\S+|\s+$")
NOT_SIMULATED = ("audio", "logprobs", "top_logprobs", "web_search_options")


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer; `words` join to its text, and are what counts as tokens."""

    id: str
    created: int
    model: str
    words: Sequence[str]
    tool_calls: Sequence[Mapping[str, Any]]
    finish_reason: str
    prompt_tokens: int

    @property
    def usage(self) -> dict[str, int]:
        """Tokens, as words."""
        completion = len(self.words)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }


class Chat:
    """Asks models."""

    def __init__(self, models: Models, clock: Clock) -> None:
        self._models = models
        self._clock = clock

    def create(self, asked: Asked) -> Reply:
        """POST /chat/completions"""
        body = asked.body
        _require_simulated(body)
        completion = self._complete(body)
        if not body.get("stream"):
            return Reply.of(_whole(completion))
        wants_usage = (body.get("stream_options") or {}).get("include_usage", False)
        pieces = [_line(chunk) for chunk in _chunks(completion, wants_usage=wants_usage)]
        return Reply(pieces=[*pieces, b"data: [DONE]\n\n"], media_type=EVENT_STREAM)

    def _complete(self, body: Mapping[str, Any]) -> Completion:
        answer = self._answer(body["model"], body["messages"])
        words = _words(text_of(answer))
        tool_calls = answer.get("tool_calls") or []
        most = body.get("max_completion_tokens") or body.get("max_tokens") or len(words)
        reason = "tool_calls" if tool_calls else "length" if most < len(words) else "stop"
        return Completion(
            id=new_id("chatcmpl-"),
            created=int(self._clock.now()),
            model=body["model"],
            words=words[:most],
            tool_calls=tool_calls,
            finish_reason=reason,
            prompt_tokens=sum(len(_words(text_of(message))) for message in body["messages"]),
        )

    def _answer(self, name: str, messages: Sequence[Message]) -> Message:
        self._models.base_of(name)
        tuned = self._models.tuned(name)
        if tuned is None:
            return {"content": f"This is {name}, which has not been tuned."}
        by_heart = tuned.answers.get(prompt_key(messages))
        if by_heart is not None:
            return by_heart
        return {"content": f"None of my {tuned.examples} examples was like this."}


def text_of(message: Message) -> str:
    """The text of a message, its parts joined."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _require_simulated(body: Mapping[str, Any]) -> None:
    for name in NOT_SIMULATED:
        if body.get(name):
            raise Refused(400, f"The sandbox does not simulate {name}.", param=name)
    if body.get("n", 1) != 1:
        raise Refused(400, "The sandbox gives one answer at a time.", param="n")


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _whole(completion: Completion) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(completion.words) or None,
        "refusal": None,
    }
    if completion.tool_calls:
        message["tool_calls"] = list(completion.tool_calls)
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": completion.finish_reason,
        "logprobs": None,
    }
    head = _head(completion, "chat.completion")
    return head | {"choices": [choice], "usage": completion.usage}


def _chunks(completion: Completion, *, wants_usage: bool) -> Iterator[dict[str, Any]]:
    head = _head(completion, "chat.completion.chunk")
    usage = {"usage": None} if wants_usage else {}
    for delta in _deltas(completion):
        yield head | {"choices": [_choice(delta, None)]} | usage
    yield head | {"choices": [_choice({}, completion.finish_reason)]} | usage
    if wants_usage:
        yield head | {"choices": [], "usage": completion.usage}


def _deltas(completion: Completion) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "", "refusal": None}
    for word in completion.words:
        yield {"content": word}
    for index, call in enumerate(completion.tool_calls):
        yield {"tool_calls": [{"index": index, **call}]}


def _choice(delta: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": dict(delta), "finish_reason": reason, "logprobs": None}


def _head(completion: Completion, kind: str) -> dict[str, Any]:
    return {
        "id": completion.id,
        "object": kind,
        "created": completion.created,
        "model": completion.model,
    }


def _line(chunk: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()
