"""Near duplicates by MinHash, against the exact Jaccard similarity of every pair."""

import random
from itertools import combinations

from app.domain.reporting.near_duplicates import LEADERS, NearDuplicates, word_pairs

WORDS = [f"word{number}" for number in range(500)]


def texts_with_variants(count: int) -> list[str]:
    """Texts of 30 words, each with a variant in which up to twelve words are others."""
    chance = random.Random(11)
    found: list[str] = []
    for _ in range(count):
        words = chance.choices(WORDS, k=30)
        variant = list(words)
        for place in chance.sample(range(30), chance.randint(0, 12)):
            variant[place] = chance.choice(WORDS)
        found += [" ".join(words), " ".join(variant)]
    return found


def test_what_is_found_is_what_comparing_every_pair_finds() -> None:
    texts = texts_with_variants(150)
    near = NearDuplicates()
    near.add(texts[:100])
    near.add(texts[100:])
    groups = near.groups()
    sets = [set(word_pairs(text)) for text in texts]
    pairs = {
        (one, other): len(sets[one] & sets[other]) / len(sets[one] | sets[other])
        for one, other in combinations(range(len(texts)), 2)
    }
    found = {pair for pair in pairs if groups.of(pair[0]) == groups.of(pair[1])}
    sure = {pair for pair, similarity in pairs.items() if similarity >= 0.85}
    assert len(sure) > 20
    assert sure <= found
    assert all(pairs[pair] >= 0.6 for pair in found)


def test_a_frame_around_every_text_does_not_make_them_one_group() -> None:
    frame = " ".join(WORDS[:20])
    chance = random.Random(5)
    texts = [f"{frame} {' '.join(chance.choices(WORDS, k=20))}" for _ in range(20 * LEADERS)]
    near = NearDuplicates()
    near.add(texts)
    assert len(near.groups().members()) == len(texts)


def test_scripts_without_spaces_are_compared_by_character() -> None:
    near = NearDuplicates()
    near.add(
        ["今日の東京の天気はどうですか教えてください", "今日の東京の天気はどうですか教えて下さい"]
    )
    assert word_pairs("東京")[1] == "東 京"
    assert len(near.groups().members()) <= 2
    assert word_pairs("!?") == ["!?"]
