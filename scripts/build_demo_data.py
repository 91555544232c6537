"""Build the data of the demo tasks: the same seed gives the same bytes.

    python scripts/build_demo_data.py --out app/cli/demo_data

Feedback is sorted into a company's internal categories; neutral sentences are put into its brand
voice. No input of a held-out file occurs in the training file of its task.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random

from demo_texts.fresh import FRESH
from demo_texts.handwritten import HANDWRITTEN
from demo_texts.voice import NEUTRAL, in_brand_voice
from tiny_corpus.grammar import draw, sentence
from tiny_corpus.letters import letter
from tiny_corpus.topics import TOPICS

SHIPPED = Path(__file__).resolve().parent.parent / "app" / "cli" / "demo_data"
CATEGORIES = {
    "double_charge": "billing.double_charge",
    "refund_missing": "billing.refund_missing",
    "late": "delivery.late",
    "damaged": "delivery.damaged",
    "battery": "device.battery",
    "connection": "device.connection",
    "locked_out": "account.locked_out",
    "app_crash": "app.crash",
    "feature_request": "idea.feature",
    "praise": "praise.support",
}
FEEDBACK_PROMPT = "Sort this customer feedback into one of our categories.\n\nFeedback: {input}"
VOICE_PROMPT = "Rewrite this in our brand voice.\n\nSentence: {input}"

Pair = tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the data of the demo tasks.")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    for name, pairs in feedback(asked.seed).items():
        write(asked.out / "feedback" / f"{name}.jsonl", pairs, prompt=FEEDBACK_PROMPT)
    for name, pairs in brand_voice(asked.seed).items():
        write(asked.out / "brand_voice" / f"{name}.jsonl", pairs, prompt=VOICE_PROMPT)


def feedback(seed: int) -> dict[str, list[Pair]]:
    """The files of the feedback task as pairs of (feedback, category), labels in equal parts."""
    random = Random(seed)
    known = {topic: spoken.clauses for topic, spoken in TOPICS.items()}
    seen: set[str] = set()
    return {
        "train": _labelled(known, random, count=400, seen=seen),
        "test": _labelled(known, random, count=120, seen=seen),
        "unseen": _labelled(FRESH, random, count=240, seen=seen),
        "handwritten": [(text, CATEGORIES[topic]) for topic, text in HANDWRITTEN],
    }


def brand_voice(seed: int) -> dict[str, list[Pair]]:
    """The files of the brand voice task as pairs of (neutral sentence, sentence in the voice)."""
    random = Random(seed)
    moods = list(NEUTRAL)
    seen: set[str] = set()
    return {
        name: _unique(lambda index: _spoken(moods[index % 3], random), count=count, seen=seen)
        for name, count in (("train", 200), ("test", 40))
    }


def write(path: Path, pairs: Iterable[Pair], *, prompt: str) -> None:
    """One JSON object with `prompt` and `completion` a line."""
    rows = ({"prompt": prompt.format(input=text), "completion": answer} for text, answer in pairs)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _labelled(
    clauses: Mapping[str, tuple[str, ...]], random: Random, *, count: int, seen: set[str]
) -> list[Pair]:
    topics = list(CATEGORIES)

    def pair(index: int) -> Pair:
        topic = topics[index % len(topics)]
        return letter(clauses[topic], random), CATEGORIES[topic]

    pairs = _unique(pair, count=count, seen=seen)
    random.shuffle(pairs)
    return pairs


def _spoken(mood: str, random: Random) -> Pair:
    neutral = sentence(draw(random.choice(NEUTRAL[mood]), random))
    return neutral, in_brand_voice(neutral, mood=mood)


def _unique(make: Callable[[int], Pair], *, count: int, seen: set[str]) -> list[Pair]:
    """`count` pairs whose inputs differ from each other and from `seen`, which they join."""
    pairs: list[Pair] = []
    while len(pairs) < count:
        pair = make(len(pairs))
        if pair[0].casefold() not in seen:
            seen.add(pair[0].casefold())
            pairs.append(pair)
    return pairs


if __name__ == "__main__":
    main()
