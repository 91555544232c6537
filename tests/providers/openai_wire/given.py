"""Examples in few words."""

from typing import Any

from app.domain.catalogue import Limits
from app.domain.compiling import CompiledExample
from app.domain.examples import (
    ChatExample,
    Example,
    FunctionCall,
    Message,
    PreferenceExample,
    ToolCall,
)
from app.providers.openai_wire.compiling import LineCompiler

WEATHER: dict[str, Any] = {"type": "function", "function": {"name": "weather"}}


def chat(*messages: Message, **others: Any) -> ChatExample:
    """A conversation that ends with an answer."""
    return ChatExample([*messages, Message("assistant", "It rains.")], **others)


def preference(*messages: Message) -> PreferenceExample:
    """A conversation with a better and a worse answer."""
    return PreferenceExample(
        [*messages], [Message("assistant", "It rains.")], [Message("assistant", "Who knows?")]
    )


def asked(content: Any = "How is the weather?") -> Message:
    """What a user says."""
    return Message("user", content)


def called() -> list[Message]:
    """A tool that was called and has answered nothing."""
    call = ToolCall("call_1", FunctionCall("weather", "{}"))
    return [Message("assistant", tool_calls=[call]), Message("tool", tool_call_id="call_1")]


def compiled(example: Example, method: str = "sft") -> CompiledExample:
    """What becomes of one example."""
    compiler = LineCompiler(method, limits=Limits())
    return compiler.compile([example])[0]


def codes(faults: Any) -> list[str]:
    """The codes of faults, in order."""
    return [fault.code for fault in faults]
