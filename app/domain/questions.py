"""An example turned into a question: what is asked, and which answer is expected."""

from typing import Any

import msgspec

from app.domain.chat import greedy_request
from app.domain.examples import ChatExample, Message, ToolCall

SPARE_TOKENS = 32


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask and which answer to expect; `row` is the example's 1-based line."""

    row: int
    messages: list[Message]
    expected: Message
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None

    @property
    def text(self) -> str | None:
        """The text that is expected; None where tools are to be called and nothing said."""
        return self.expected.content if isinstance(self.expected.content, str) else None

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of tools that are expected."""
        return self.expected.tool_calls or []

    @property
    def shown(self) -> str:
        """The expected answer as a person or a judge reads it."""
        if not self.calls:
            return self.text or ""
        called = msgspec.json.encode([call.function for call in self.calls]).decode()
        return f"{self.text}\n{called}" if self.text else called

    def request(self) -> dict[str, Any]:
        """A request for the answer in OpenAI's shape, with room for twice what is expected."""
        # Longer than what was expected is wrong already; a base model may never stop by itself.
        room = SPARE_TOKENS + len(self.shown) // 2
        request = greedy_request(self.messages, max_tokens=room)
        if self.tools:
            request["tools"] = self.tools
            if self.parallel_tool_calls is not None:
                request["parallel_tool_calls"] = self.parallel_tool_calls
        return request


def question_of(row: int, example: ChatExample) -> Question | None:
    """The question of the last assistant turn with text or calls; None where there is none."""
    for index in range(len(example.messages) - 1, 0, -1):
        message = example.messages[index]
        if message.role == "assistant" and (isinstance(message.content, str) or message.tool_calls):
            return Question(
                row=row,
                messages=example.messages[:index],
                expected=message,
                tools=example.tools,
                parallel_tool_calls=example.parallel_tool_calls,
            )
    return None
