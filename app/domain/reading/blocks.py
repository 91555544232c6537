"""Many lines at once: the fast way for chat examples that are all right."""

import msgspec

from app.domain.examples import MAX_LINE_BYTES, ChatExample, RowInvalid, check_example, refuse_nul
from app.domain.reading.repeats import may_repeat_keys

_chat = msgspec.json.Decoder(ChatExample)
_encoder = msgspec.json.Encoder()

_OPENING = b'{"messages"'


def decode_chats(data: bytes) -> tuple[int, bytes] | None:
    """How many examples the lines hold, and their canonical lines.

    None where anything is out of the ordinary: then each line has to be looked at.
    """
    if not data.startswith(_OPENING):
        return None
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if data.count(b"\n" + _OPENING) != lines - 1:
        return None
    # A tool call's type is added where it was left out, and would make up for a dropped key.
    if len(data) > MAX_LINE_BYTES or b'"tool_calls"' in data:
        return None
    try:
        examples = _chat.decode_lines(data)
        for example in examples:
            check_example(example)
        canonical = _encoder.encode_lines(examples)
        refuse_nul(canonical)
    except (RowInvalid, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(examples) != lines or may_repeat_keys(data, canonical):
        return None
    return lines, canonical
