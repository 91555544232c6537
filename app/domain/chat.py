"""Requests to a model, in OpenAI's shape, as Luthier itself makes them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain.examples import FunctionCall, Message, ToolCall


def greedy_request(messages: Sequence[Message], *, max_tokens: int) -> dict[str, Any]:
    """A request whose answer does not depend on chance."""
    bare = [message for message in msgspec.to_builtins(messages) if message]
    for message in bare:
        message.pop("weight", None)
    return {"messages": bare, "temperature": 0, "max_tokens": max_tokens}


def answer_text(completion: dict[str, Any]) -> str:
    """What the assistant said in a chat completion; empty where it said nothing."""
    return completion["choices"][0]["message"].get("content") or ""


def answer_calls(completion: dict[str, Any]) -> list[ToolCall]:
    """The functions that the assistant calls in a chat completion."""
    calls = completion["choices"][0]["message"].get("tool_calls") or []
    return [
        ToolCall(call.get("id") or "", FunctionCall(**_named(call["function"])))
        for call in calls
        if call.get("function")
    ]


def _named(function: dict[str, Any]) -> dict[str, str]:
    return {name: str(function.get(name) or "") for name in ("name", "arguments")}
