"""BLEU and chrF of one answer, as sacreBLEU computes them for a sentence, from 0 to 1."""

import math
import re
from collections import Counter
from collections.abc import Sequence

BLEU_ORDER = 4
CHRF_ORDER = 6
CHRF_BETA = 2

_TO_WORDS = [
    # The tokenizer `13a` of mteval, which sacreBLEU uses by default.
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
]

_ENTITIES = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}


def bleu(output: str, expected: str) -> float:
    """BLEU (Papineni et al., 2002): effective order, smoothed as `exp`, tokenized by `13a`."""
    said, wanted = _tokens(output), _tokens(expected)
    if not said or not wanted:
        return float(said == wanted)
    logs = _precision_logs(said, wanted)
    if not logs:
        return 0.0
    brevity = min(1.0, math.exp(1 - len(wanted) / len(said)))
    return min(1.0, brevity * math.exp(sum(logs) / len(logs)))


def chrf(output: str, expected: str) -> float:
    """chrF2 (Popović, 2015): character n-grams to 6, recall twice as heavy, no white space."""
    said, wanted = "".join(output.split()), "".join(expected.split())
    if not said or not wanted:
        return float(said == wanted)
    orders = range(1, min(CHRF_ORDER, len(said), len(wanted)) + 1)
    shared = [_shared(said, wanted, order) for order in orders]
    precision = _mean_share(shared, len(said))
    recall = _mean_share(shared, len(wanted))
    if precision + recall == 0:
        return 0.0
    factor = CHRF_BETA**2
    return (1 + factor) * precision * recall / (factor * precision + recall)


def _precision_logs(said: Sequence[str], wanted: Sequence[str]) -> list[float]:
    """The logarithm of each order's precision; none where not even a word is shared."""
    logs: list[float] = []
    smoothing = 1.0
    for order in range(1, min(BLEU_ORDER, len(said)) + 1):
        shared, total = _shared(said, wanted, order), len(said) - order + 1
        if order == 1 and not shared:
            return []
        if not shared:
            smoothing *= 2
        logs.append(math.log(shared / total if shared else 1 / (smoothing * total)))
    return logs


def _mean_share(shared: Sequence[int], length: int) -> float:
    shares = [count / (length - order) for order, count in enumerate(shared)]
    return sum(shares) / len(shares)


def _shared(said: Sequence[str], wanted: Sequence[str], order: int) -> int:
    return sum((_ngrams(said, order) & _ngrams(wanted, order)).values())


def _ngrams(units: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(units[start:] for start in range(order)), strict=False))


def _tokens(text: str) -> list[str]:
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, sign in _ENTITIES.items():
        text = text.replace(entity, sign)
    text = f" {text} "
    for pattern, spaced in _TO_WORDS:
        text = pattern.sub(spaced, text)
    return text.split()
