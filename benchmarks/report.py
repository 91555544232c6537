"""A report on 100,000 examples, and near duplicates against every pair compared exactly.

python -m benchmarks.report [examples]
"""

import random
import resource
import sys
import time
from collections.abc import Iterator
from itertools import combinations

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.reporting.analysis import Analysis
from app.domain.reporting.near_duplicates import SIMILAR, NearDuplicates, word_pairs

PROMPT_WORDS, ANSWER_WORDS = 60, 80
SAMPLE = 3_000
BATCH = 500
FRAME = "Answer the customer of our shop as kindly as you can:"


def main(examples: int) -> None:
    """Print the figures of one run."""
    chance = random.Random(3)
    prompts = list(make_prompts(chance, examples))
    lines = [make_line(chance, prompt) for prompt in prompts]
    print(f"{examples:,} examples, {sum(map(len, lines)) / 1e6:.0f} MB")
    before = peak_megabytes()
    print(f"whole report: {time_report(lines):.1f} s of a processor")
    print(f"{peak_megabytes() - before:.0f} MB more memory")
    print(f"near duplicates alone: {time_near(prompts):.1f} s of a processor")
    recall, precision, pairs = judge(prompts[:SAMPLE])
    print(f"of {pairs:,} pairs at {SIMILAR} or more in {SAMPLE:,} prompts: recall {recall:.4f}")
    print(f"of pairs in one group, connected by exact pairs: precision {precision:.4f}")


def make_prompts(chance: random.Random, count: int) -> Iterator[str]:
    """Prompts within a frame; three in ten are an earlier one with up to twenty words changed."""
    words = [f"{one}{other}" for one in "bdfgklmnprst" for other in range(400)]
    made: list[list[str]] = []
    for _ in range(count):
        if made and chance.random() < 0.3:
            text = list(chance.choice(made[-1_000:]))
            for place in chance.sample(range(PROMPT_WORDS), chance.randint(1, 20)):
                text[place] = chance.choice(words)
        else:
            text = chance.choices(words, k=PROMPT_WORDS)
        made.append(text)
        yield f"{FRAME} {' '.join(text)}"


def make_line(chance: random.Random, prompt: str) -> bytes:
    """A canonical line."""
    answer = " ".join(chance.choices(prompt.split(), k=ANSWER_WORDS)) + "."
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return msgspec.json.encode({"messages": turns})


def time_near(prompts: list[str]) -> float:
    """Processor seconds to find the groups."""
    started = time.process_time()
    near = NearDuplicates()
    for start in range(0, len(prompts), BATCH):
        near.add(prompts[start : start + BATCH])
    near.groups()
    return time.process_time() - started


def time_report(lines: list[bytes]) -> float:
    """Processor seconds for everything that a report looks at."""
    started = time.process_time()
    analysis = Analysis(DatasetKind.CHAT)
    for start in range(0, len(lines), BATCH):
        analysis.feed(lines[start : start + BATCH])
    analysis.finish()
    return time.process_time() - started


def judge(prompts: list[str]) -> tuple[float, float, int]:
    """Recall of similar pairs; precision of grouped pairs; how many pairs are similar.

    A grouped pair is right when exact pairs connect it, because groups are transitive.
    """
    near = NearDuplicates()
    near.add(prompts)
    groups = near.groups()
    exact = exact_pairs(prompts)
    found = sum(groups.of(one) == groups.of(other) for one, other in exact)
    truth = connected(len(prompts), exact)
    grouped = [pair for group in groups.members().values() for pair in combinations(group, 2)]
    right = sum(truth[one] == truth[other] for one, other in grouped)
    return found / len(exact), right / len(grouped), len(exact)


def exact_pairs(prompts: list[str]) -> list[tuple[int, int]]:
    """Every pair whose exact Jaccard similarity reaches the threshold."""
    sets = [set(word_pairs(prompt)) for prompt in prompts]
    return [
        (one, other)
        for one, other in combinations(range(len(sets)), 2)
        if (shared := len(sets[one] & sets[other]))
        and shared / (len(sets[one]) + len(sets[other]) - shared) >= SIMILAR
    ]


def connected(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    """The number of each one's group, by walking through the pairs."""
    names = list(range(count))
    neighbours: dict[int, list[int]] = {}
    for one, other in pairs:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    for start in range(count):
        waiting = [start] if names[start] == start else []
        while waiting:
            for other in neighbours.get(waiting.pop(), ()):
                if names[other] > start:
                    names[other] = start
                    waiting.append(other)
    return names


def peak_megabytes() -> float:
    """The most memory that the process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
