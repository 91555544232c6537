"""The checking script that most people start from, to compare with.

After "Data preparation and analysis for chat model fine-tuning" in the OpenAI cookbook; its format
checks are kept as they are, tokens are not counted.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any


def check_chats(rows: Iterable[Any]) -> dict[str, int]:
    """Format errors by kind."""
    errors: dict[str, int] = defaultdict(int)
    for row in rows:
        if not isinstance(row, dict):
            errors["data_type"] += 1
            continue
        messages: Any = row.get("messages", None)
        if not messages:
            errors["missing_messages_list"] += 1
            continue
        for message in messages:
            if "role" not in message or "content" not in message:
                errors["message_missing_key"] += 1
            keys = ("role", "content", "name", "function_call", "weight")
            if any(key not in keys for key in message):
                errors["message_unrecognized_key"] += 1
            if message.get("role", None) not in ("system", "user", "assistant", "function"):
                errors["unrecognized_role"] += 1
            content = message.get("content", None)
            call = message.get("function_call", None)
            if (not content and not call) or not isinstance(content, str):
                errors["missing_content"] += 1
        if not any(message.get("role", None) == "assistant" for message in messages):
            errors["example_missing_assistant_message"] += 1
    return errors
