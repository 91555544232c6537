"""What a tuned model has learned: the answers of its training file, by their exact prompts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Message = Mapping[str, Any]
Answers = Mapping[str, Message]

_TOLD = ("role", "content", "tool_calls", "tool_call_id", "name")


def learned(examples: Iterable[Mapping[str, Any]], method: str) -> dict[str, Message]:
    """The answers that examples teach; a reinforcement teaches none by heart."""
    pairs = (_pair(example, method) for example in examples)
    return {prompt_key(prompt): answer for prompt, answer in pairs if answer is not None}


def prompt_key(messages: Sequence[Message]) -> str:
    """The same text for the same messages."""
    told = [{name: message[name] for name in _TOLD if message.get(name)} for message in messages]
    return json.dumps(told, sort_keys=True)


def _pair(example: Mapping[str, Any], method: str) -> tuple[Sequence[Message], Message | None]:
    if method == "dpo":
        return example["input"]["messages"], example["preferred_output"][0]
    messages = example["messages"]
    if method == "reinforcement" or messages[-1]["role"] != "assistant":
        return messages, None
    return messages[:-1], messages[-1]
