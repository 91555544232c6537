"""Tokens to text as they come: whole characters only, cut before a stop string."""

from collections.abc import Sequence
from typing import Any


class TextStream:
    """Gives the text of one answer piece by piece; the pieces together are the answer."""

    def __init__(self, tokenizer: Any, stops: Sequence[str] = ()) -> None:
        self._decoder = IncrementalDecoder(tokenizer)
        self._stops = stops
        self._held = ""
        self.stopped = False
        """Whether a stop string occurred; nothing comes after it."""

    def push(self, token: int) -> str:
        """The text that became certain with this token."""
        return self._release(self._decoder.push(token))

    def finish(self) -> str:
        """The rest, once no more token will come."""
        text = self._release(self._decoder.finish())
        rest, self._held = self._held, ""
        return text + rest

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        text, self._held = self._held + text, ""
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if found:
            self.stopped = True
            return text[: min(found)]
        kept = len(text) - unsettled(text, self._stops)
        self._held = text[kept:]
        return text[:kept]


class IncrementalDecoder:
    """Decodes a growing list of tokens; a character that needs several waits for its last."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        # Text is decoded from a few tokens back, since what a token reads as can depend on the
        # one before it (a leading space, say).
        self._context = 0
        self._given = 0

    def push(self, token: int) -> str:
        """The characters that this token completed."""
        self._tokens.append(token)
        text = self._pending()
        return "" if text.endswith("\ufffd") else self._give(text)

    def finish(self) -> str:
        """What is left; bytes that never became a character read as U+FFFD."""
        return self._give(self._pending())

    def _pending(self) -> str:
        given = self._decode(self._tokens[self._context : self._given])
        return self._decode(self._tokens[self._context :])[len(given) :]

    def _give(self, text: str) -> str:
        if text:
            self._context, self._given = self._given, len(self._tokens)
        return text

    def _decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )


def unsettled(text: str, markers: Sequence[str]) -> int:
    """How many characters at the end of `text` may be the beginning of one of the markers."""
    longest = min(len(text), max(map(len, markers), default=0))
    for size in range(longest, 0, -1):
        if any(marker.startswith(text[-size:]) for marker in markers):
            return size
    return 0
