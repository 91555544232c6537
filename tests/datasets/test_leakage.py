"""What leaks from training into measuring: each held-out line once, by its strongest tie."""

from typing import Any

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.leakage import Leakage, LeakageSearch, next_step
from tests.datasets.test_analysis import chat, preference

LONG = " ".join(f"word{number}" for number in range(30))
CHAT, PREFERENCE = DatasetKind.CHAT, DatasetKind.PREFERENCE


def leakage(
    trained: list[dict[str, Any]],
    held_out: list[dict[str, Any]],
    kinds: tuple[DatasetKind, DatasetKind] = (CHAT, CHAT),
) -> Leakage:
    """What is found in rows that come one by one."""
    search = LeakageSearch()
    sides = [[[msgspec.json.encode(row)] for row in rows] for rows in (trained, held_out)]
    for batches, kind in zip(sides, kinds, strict=True):
        for batch in batches:
            search.learn(batch, kind)
    for batch in sides[1]:
        search.hold(batch, kinds[1])
    for batch in sides[0]:
        search.compare(batch, kinds[0])
    return search.found()


def told(found: Leakage) -> list[list[tuple[int, int]]]:
    """The pairs of each kind: held-out line, line of the training data."""
    leaks = (found.same_example, found.same_prompt, found.near_prompt)
    return [[(pair.held_out, pair.line) for pair in leak.pairs] for leak in leaks]


def test_each_held_out_line_counts_once_by_its_strongest_tie() -> None:
    trained = [chat("Never asked?", "No."), chat("Where?", "Here."), chat(f"{LONG} please", "Yes.")]
    held_out = [
        chat("where? ", "There."),
        chat("Where?", "Here."),
        chat(LONG, "Yes."),
        chat("New?", "!"),
    ]
    found = leakage(trained, held_out)
    assert told(found) == [[(2, 2)], [(1, 2)], [(3, 3)]]
    assert (found.examples, found.affected, found.share) == (4, 3, 0.75)
    assert "POST /datasets/{ref}/split" in found.next


def test_different_prompts_do_not_leak() -> None:
    found = leakage([chat("What is red?", "Blood.")], [chat("Who goes there?", "Me.")])
    assert (found.affected, told(found)) == (0, [[], [], []])
    assert "measure with it" in found.next


def test_a_system_prompt_that_comes_again_is_no_likeness() -> None:
    trained = [chat(f"What of {name}?", "It is.", LONG) for name in ("red", "blue")]
    assert leakage(trained, [chat("Who goes there?", "Me.", LONG)]).affected == 0


def test_one_question_about_two_documents_is_no_leak() -> None:
    document = " ".join(f"other{number}" for number in range(30))
    assert leakage([chat("Sum up.", "a", LONG)], [chat("Sum up.", "b", document)]).affected == 0


def test_the_first_hundred_pairs_are_named_and_all_are_counted() -> None:
    rows = [chat(f"What is number {number}?", "One.") for number in range(150)]
    found = leakage(rows, rows)
    assert (found.same_example.count, len(found.same_example.pairs)) == (150, 100)


def test_a_leak_of_less_than_one_percent_is_said_to_be_small() -> None:
    assert "too few" in next_step(14, 10_000)
    assert "POST" in next_step(14, 1_000)


def test_a_preference_gives_away_a_prompt_to_chat() -> None:
    trained = [preference("Greet me.", "Hello there.", "What now.")]
    held_out = [chat("Greet me.", "What now.")]
    assert told(leakage(trained, held_out, (PREFERENCE, CHAT))) == [[], [(1, 1)], []]


def test_the_same_preference_is_the_same_example() -> None:
    rows = [preference("Greet me.", "Hello there.", "What now.")]
    assert told(leakage(rows, rows, (PREFERENCE, PREFERENCE))) == [[(1, 1)], [], []]
