"""Answers compared as texts: equality, shared words, and how much would have to be typed anew."""

import re
import string
from collections import Counter

from rapidfuzz.distance import LCSseq, Levenshtein

_WORDS = re.compile(r"[^\W_]+")


def exact_match(output: str, expected: str) -> float:
    """1.0 where the answers are equal but for white space at the ends, else 0.0."""
    return float(output.strip() == expected.strip())


def token_f1(output: str, expected: str) -> float:
    """F1 over words, as SQuAD scores answers: lower case, no punctuation, no articles."""
    said, wanted = _bare_words(output), _bare_words(expected)
    if not said or not wanted:
        return float(said == wanted)
    shared = sum((Counter(said) & Counter(wanted)).values())
    return balanced(shared, said=len(said), wanted=len(wanted))


def rouge_l(output: str, expected: str) -> float:
    """F1 over the longest common subsequence of words (Lin, 2004), without stemming.

    As the package rouge-score has it, but words are those of any script.
    """
    said, wanted = (_WORDS.findall(text.lower()) for text in (output, expected))
    if not said or not wanted:
        return exact_match(output, expected)
    return balanced(LCSseq.similarity(said, wanted), said=len(said), wanted=len(wanted))


def edit_similarity(output: str, expected: str) -> float:
    """1 less the edit distance (Levenshtein) by the longer text's length, stripped."""
    return Levenshtein.normalized_similarity(output.strip(), expected.strip())


def balanced(shared: float, *, said: int, wanted: int) -> float:
    """F1 of so many that are shared by two sides that are not empty."""
    return 2 * shared / (said + wanted)


def _bare_words(text: str) -> list[str]:
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()
