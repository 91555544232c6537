"""Redacting a version while it streams by: every text of every example is cleaned."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from app.domain.curation.cleaning import Cleaning, Disclosed, Replacement
from app.domain.curation.diffing import difference
from app.domain.datasets import DatasetKind, DiffCounts
from app.domain.examples import ChatExample, Example, Message, decode_example, encode_example
from app.domain.reporting.findings import Lines

_TEXTS = ("text", "refusal")
"""What a message's part may hold for a person to read."""


class Redaction:
    """Give the canonical lines in order to `feed`; it gives them back redacted.

    Contents, refusals and the arguments of tool calls are cleaned; tools are left alone. What was
    redacted once has nothing left to redact.
    """

    def __init__(
        self, kind: DatasetKind, wanted: Sequence[Disclosed], replacement: Replacement
    ) -> None:
        self.counts = {disclosed: 0 for disclosed in Disclosed if disclosed in wanted}
        """How often each kind was replaced."""

        self.lines = {disclosed: Lines() for disclosed in self.counts}
        self.left = Lines()
        """Where something was found in a part that is no text, such as an image's URL."""

        self.diff = DiffCounts()
        self._kind = kind
        self._replacement = replacement
        self._line = 0

    def feed(self, lines: Sequence[bytes]) -> bytes:
        """The next lines, redacted."""
        return b"".join(self._redacted(line) + b"\n" for line in lines)

    def _redacted(self, line: bytes) -> bytes:
        self._line += 1
        example = decode_example(line, self._kind)
        cleaning = Cleaning(list(self.counts), self._replacement)
        leaves_some = [_clean(message, cleaning) for message in _messages(example)]
        if any(leaves_some):
            self.left.add(self._line)
        if not cleaning.counts:
            return line
        for disclosed, count in cleaning.counts.items():
            self.counts[disclosed] += count
            self.lines[disclosed].add(self._line)
        redacted = encode_example(example)
        self.diff += difference(line, redacted, self._kind)
        return redacted


def _clean(message: Message, cleaning: Cleaning) -> bool:
    """Clean a message's texts in their place; whether something is left in other parts."""
    if isinstance(message.content, str):
        message.content = cleaning.clean(message.content)
    if message.refusal is not None:
        message.refusal = cleaning.clean(message.refusal)
    for call in message.tool_calls or ():
        call.function.arguments = cleaning.clean(call.function.arguments)
    parts = message.content if isinstance(message.content, list) else []
    leaves_some = [_clean_part(part, cleaning) for part in parts]
    return any(leaves_some)


def _clean_part(part: dict[str, Any], cleaning: Cleaning) -> bool:
    texts = [key for key in _TEXTS if isinstance(part.get(key), str)]
    for key in texts:
        part[key] = cleaning.clean(part[key])
    return not texts and cleaning.discloses(msgspec.json.encode(part).decode())


def _messages(example: Example) -> Iterator[Message]:
    if isinstance(example, ChatExample):
        yield from example.messages
    else:
        yield from (*example.prompt, *example.chosen, *example.rejected)
