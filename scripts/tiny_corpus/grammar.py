"""Sentence templates: `{a|b}` chooses one side, `$name` takes a value drawn from the world."""

from __future__ import annotations

import re
from random import Random

from tiny_corpus.world import WORDS

_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"\$([a-z]+)")
_SENTENCE_START = re.compile(r"(^|[.!?] )([a-z])")


def draw(template: str, random: Random, **given: str) -> str:
    """One text of `template`. A slot named in `given` takes that value everywhere."""
    text = template
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda found: random.choice(found[1].split("|")), text)
    return _SLOT.sub(lambda found: given.get(found[1]) or random.choice(WORDS[found[1]]), text)


def sentence(clause: str, *, end: str = ".") -> str:
    """`clause` with capital letters where sentences start, and an end mark if it has none."""
    text = _SENTENCE_START.sub(lambda found: found[1] + found[2].upper(), clause.strip())
    text = re.sub(r"\bi\b", "I", text)
    return text if text[-1] in ".!?" else text + end
