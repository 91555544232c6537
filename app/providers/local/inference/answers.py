"""Answers in OpenAI's shape, from the events of one generation."""

import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from app.providers.local.inference.events import Finished, Progress, Said, Started
from app.providers.local.inference.requests import ChatRequest
from app.providers.local.inference.toolcalls import ToolCallReader


class Answer:
    """One answer: either `whole`, or as `chunks`."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._reader = ToolCallReader(active=bool(request.tools))
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._prompt_tokens = 0

    async def whole(self, events: AsyncIterator[Progress]) -> dict[str, Any]:
        """The chat completion, once the generation has ended."""
        said: list[str] = []
        finished = Finished("stop", 0)
        async for event in events:
            match event:
                case Started():
                    self._prompt_tokens = event.prompt_tokens
                case Said():
                    said.append(self._reader.push(event.text))
                case Finished():
                    finished = event
        rest, calls = self._reader.finish()
        content = "".join(said) + rest
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
        if calls:
            message |= {"content": content.strip() or None, "tool_calls": calls}
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": _reason(finished, calls),
        }
        return self._envelope("chat.completion") | {
            "choices": [choice],
            "usage": self._usage(finished),
        }

    async def chunks(self, events: AsyncIterator[Progress]) -> AsyncIterator[dict[str, Any]]:
        """The same answer in pieces: role, text as it comes, tool calls, reason, usage."""
        async for event in events:
            match event:
                case Started():
                    self._prompt_tokens = event.prompt_tokens
                    yield self._chunk({"role": "assistant", "content": ""})
                case Said():
                    if text := self._reader.push(event.text):
                        yield self._chunk({"content": text})
                case Finished():
                    for chunk in self._last(event):
                        yield chunk

    def _last(self, finished: Finished) -> list[dict[str, Any]]:
        rest, calls = self._reader.finish()
        chunks = [self._chunk({"content": rest})] if rest else []
        if calls:
            numbered = [{"index": index} | call for index, call in enumerate(calls)]
            chunks.append(self._chunk({"tool_calls": numbered}))
        chunks.append(self._chunk({}, reason=_reason(finished, calls)))
        if self._request.wants_usage:
            usage = {"choices": [], "usage": self._usage(finished)}
            chunks.append(self._envelope("chat.completion.chunk") | usage)
        return chunks

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        usage = {"usage": None} if self._request.wants_usage else {}
        return self._envelope("chat.completion.chunk") | {"choices": [choice]} | usage

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._request.model,
        }

    def _usage(self, finished: Finished) -> dict[str, int]:
        return {
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": finished.completion_tokens,
            "total_tokens": self._prompt_tokens + finished.completion_tokens,
        }


def _reason(finished: Finished, calls: list[dict[str, Any]]) -> str:
    return "tool_calls" if calls and finished.reason == "stop" else finished.reason
