"""Tool calls in a model's text: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`."""

import json
import re
import uuid
from typing import Any

from app.providers.local.inference.text import unsettled

_OPEN = "<tool_call>"
_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)


class ToolCallReader:
    """Parts an answer into what is said and what is called; inactive, it lets all text pass."""

    def __init__(self, *, active: bool) -> None:
        self._markers = [_OPEN] if active else []
        self._held = ""

    def push(self, text: str) -> str:
        """The text that certainly belongs to no tool call."""
        text = self._held + text
        place = text.find(_OPEN) if self._markers else -1
        kept = place if place >= 0 else len(text) - unsettled(text, self._markers)
        self._held = text[kept:]
        return text[:kept]

    def finish(self) -> tuple[str, list[dict[str, Any]]]:
        """The rest of the text and the calls; what cannot be read as calls stays text."""
        bodies = _CALL.findall(self._held)
        calls = [call for body in bodies if (call := _read(body)) is not None]
        if not calls or len(calls) < len(bodies):
            return self._held, []
        return _CALL.sub("", self._held).strip(), calls


def _read(body: str) -> dict[str, Any] | None:
    """One call in OpenAI's shape, its arguments as a JSON string; None for anything else."""
    try:
        call = json.loads(body)
    except json.JSONDecodeError:
        return None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments = call.get("arguments", {})
    return {
        "id": f"call_{uuid.uuid4().hex[:24]}",
        "type": "function",
        "function": {
            "name": call["name"],
            "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
        },
    }
