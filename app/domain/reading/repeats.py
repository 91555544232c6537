"""Keys that stand twice in one object: decoders keep the last one and drop the other unseen."""

import json
from typing import Any

import msgspec

from app.domain.examples import RowInvalid

_any = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def refuse_repeated_keys(line: bytes) -> None:
    """Raise `RowInvalid` where an object of the line, which is good JSON, has a key twice."""
    if may_repeat_keys(line, _encoder.encode(_any.decode(line))):
        json.loads(line, object_pairs_hook=_once)


def may_repeat_keys(text: bytes, encoded: bytes) -> bool:
    """Whether something was dropped between a JSON text and what was encoded from its values.

    Every key has its colon and every colon of a text is kept, so that counting them tells it, a
    hundred times faster than looking at each key. Only an escaped colon would be counted amiss.
    """
    is_countable = rb"\u003" not in text
    return not (is_countable and text.count(b":") == encoded.count(b":"))


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise RowInvalid("key_repeated", f"The key `{key[:40]}` stands twice in one object.")
        seen.add(key)
