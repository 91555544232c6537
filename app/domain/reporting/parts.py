"""The parts of an example that checks look at: what is asked, what is answered, every text."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from app.domain.examples import ChatExample, Example, Message, PreferenceExample


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """One example taken apart; the keys are hashes, equal where the content is equal."""

    system: str
    """What the system and the developer say before the answer."""
    question: str
    """What the user says before the answer, all turns."""
    prompt: str
    """Every text before the answer."""
    answer: str
    """The text of the answer to learn; the chosen one of a preference."""
    calls_tools: bool
    context_key: bytes
    """Everything that the model sees before the answer."""
    answer_key: bytes
    rejected_key: bytes | None
    texts: list[str]
    """Every text of every message, tool arguments included."""


def take_apart(example: Example) -> Parts:
    """The parts of any example."""
    if isinstance(example, PreferenceExample):
        return _of_preference(example)
    return _of_chat(example)


class Prompts:
    """What tells one prompt from another: a system prompt that comes again is left out.

    With it, every short question under one long instruction would be a near duplicate.
    """

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._recurring: set[bytes] = set()

    def texts(self, batch: Sequence[Parts]) -> list[str]:
        """The texts to compare, one for each example; what recurs is learned on the way."""
        self.learn(batch)
        return [self.text(parts) for parts in batch]

    def learn(self, batch: Sequence[Parts]) -> None:
        """Note which system prompts come again."""
        for parts in batch:
            key = _digest(parts.system.encode())
            (self._recurring if key in self._known else self._known).add(key)

    def text(self, parts: Parts) -> str:
        """The text to compare, by what was learned so far."""
        if _digest(parts.system.encode()) in self._recurring:
            return parts.question
        return _with_system(parts)


def text_key(text: str) -> bytes:
    """A hash of a text that is blind to case and spacing."""
    return _digest(" ".join(text.casefold().split()).encode())


def _with_system(parts: Parts) -> str:
    return f"{parts.system}\n{parts.question}" if parts.system else parts.question


def _of_chat(example: ChatExample) -> Parts:
    last = _last_answer(example.messages)
    context, answer = example.messages[:last], example.messages[last:]
    return Parts(
        system=_said_by(("system", "developer"), context),
        question=_said_by(("user",), context),
        prompt="\n".join(_texts(context)),
        answer="\n".join(_texts(answer)),
        calls_tools=any(message.tool_calls for message in answer),
        context_key=_key([context, example.tools]),
        answer_key=_key(answer),
        rejected_key=None,
        texts=list(_texts(example.messages)),
    )


def _of_preference(example: PreferenceExample) -> Parts:
    return Parts(
        system=_said_by(("system", "developer"), example.prompt),
        question=_said_by(("user",), example.prompt),
        prompt="\n".join(_texts(example.prompt)),
        answer="\n".join(_texts(example.chosen)),
        calls_tools=any(message.tool_calls for message in example.chosen),
        context_key=_key([example.prompt, example.tools]),
        answer_key=_key(example.chosen),
        rejected_key=_key(example.rejected),
        texts=list(_texts([*example.prompt, *example.chosen, *example.rejected])),
    )


def _last_answer(messages: Sequence[Message]) -> int:
    """The place of the last assistant message; the end where there is none."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].role == "assistant":
            return place
    return len(messages)


def _said_by(roles: tuple[str, ...], messages: Sequence[Message]) -> str:
    return "\n".join(_texts([message for message in messages if message.role in roles]))


def _texts(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        if isinstance(message.content, str):
            yield message.content
        else:
            yield from (_part_text(part) for part in message.content or ())
        yield from (call.function.arguments for call in message.tool_calls or ())
        if message.refusal:
            yield message.refusal


def _part_text(part: dict[str, Any]) -> str:
    """A content part's text; another part, such as an image, stands for itself as JSON."""
    text = part.get("text")
    return text if isinstance(text, str) else msgspec.json.encode(part).decode()


def _key(value: Any) -> bytes:
    return _digest(msgspec.json.encode(value))


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=12).digest()
