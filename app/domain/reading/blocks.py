"""Many lines at once: the fast ways for chat examples that are all right."""

import re
from typing import Annotated

import msgspec

from app.domain.examples import MAX_LINE_BYTES, ChatExample, RowInvalid, check_example, refuse_nul
from app.domain.reading.repeats import may_repeat_keys

_OPENING = b'{"messages"'
_RISKY_ESCAPE = re.compile(rb"\\u00(?:00|3[aA])")
"""U+0000, and a colon that counting would miss."""

_Text = Annotated[str, msgspec.Meta(min_length=1)]


# What is read from JSON holds no cycles: the collector need not know of millions of turns.
class _Turn(msgspec.Struct, forbid_unknown_fields=True, gc=False, tag_field="role"):
    content: _Text


class _System(_Turn, tag="system"):
    pass


class _Developer(_Turn, tag="developer"):
    pass


class _User(_Turn, tag="user"):
    pass


class _Assistant(_Turn, tag="assistant"):
    pass


class _PlainChat(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A conversation of nothing but texts, encoded as a `ChatExample` would be."""

    messages: Annotated[list[_System | _Developer | _User | _Assistant], msgspec.Meta(min_length=2)]


_plain = msgspec.json.Decoder(_PlainChat)
_chat = msgspec.json.Decoder(ChatExample)
_encoder = msgspec.json.Encoder()


def decode_chats(data: bytes) -> tuple[int, bytes] | None:
    """How many examples the lines hold, and their canonical lines.

    None where anything is out of the ordinary: then each line has to be looked at.
    """
    if not data.startswith(_OPENING) or len(data) > MAX_LINE_BYTES:
        return None
    return _decode_plain(data) or _decode_any(data)


def _decode_plain(data: bytes) -> tuple[int, bytes] | None:
    if _RISKY_ESCAPE.search(data):
        return None
    try:
        chats = _plain.decode_lines(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    texts = [turn.content for chat in chats for turn in chat.messages]
    if any(map(str.isspace, texts)) or not all(map(_is_answered, chats)):
        return None
    canonical = _encoder.encode_lines(chats)
    if data != canonical and not _is_kept_whole(data, canonical, len(chats)):
        return None
    return len(chats), canonical


def _is_answered(chat: _PlainChat) -> bool:
    if type(chat.messages[-1]) is not _Assistant:
        return False
    for turn in chat.messages:  # noqa: SIM110 - a generator takes three times as long
        if type(turn) is _User:
            return True
    return False


def _is_kept_whole(data: bytes, canonical: bytes, count: int) -> bool:
    """Whether each line is one example, and no key stood twice."""
    return _has_lines(data, count) and _colons(data) == _colons(canonical)


def _colons(data: bytes) -> int:
    # Twice as fast as `count`, which looks at one byte after the other.
    return len(data) - len(data.replace(b":", b""))


def _has_lines(data: bytes, count: int) -> bool:
    """Whether there are so many lines that begin as a chat does, as nothing within a chat can."""
    at = 0
    for _ in range(count):
        if not data.startswith(_OPENING, at):
            return False
        at = data.find(b"\n", at) + 1 or len(data)
    return at == len(data)


def _decode_any(data: bytes) -> tuple[int, bytes] | None:
    # A tool call's type is added where it was left out, and would make up for a dropped key.
    if b'"tool_calls"' in data:
        return None
    try:
        examples = [_chat.decode(line) for line in data.removesuffix(b"\n").split(b"\n")]
        for example in examples:
            check_example(example)
        canonical = _encoder.encode_lines(examples)
        refuse_nul(canonical)
    except (RowInvalid, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if may_repeat_keys(data, canonical) else (len(examples), canonical)
