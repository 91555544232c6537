"""Splitting: what belongs together stays together, shares are kept, and a seed decides."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.datasets import DatasetKind
from app.domain.errors import Invalid, SplitImpossible
from app.domain.splits import Shares, Sides, Sorting, allot

TENTHS = Shares(0.1, 0.1)


def line(prompt: str, completion: str, *, system: str | None = None, name: str = "") -> bytes:
    """The canonical line of a question with its answer."""
    user = {"role": "user", "content": prompt} | ({"name": name} if name else {})
    opening = [] if system is None else [{"role": "system", "content": system}]
    answer = {"role": "assistant", "content": completion}
    return msgspec.json.encode({"messages": [*opening, user, answer]})


def sort(lines: list[bytes], shares: Shares = TENTHS, *, seed: int = 7, by: str = "") -> Sides:
    """The sides of lines that come in several batches."""
    sorting = Sorting(DatasetKind.CHAT, group_by=by or None)
    for start in range(0, len(lines), 7):
        sorting.feed(lines[start : start + 7])
    return sorting.sides(shares, seed)


def question(number: int) -> str:
    """Questions that share no two words in a row."""
    return " ".join(f"{word}{number}" for word in ("where", "is", "my", "parcel", "number"))


def test_shares_are_kept_and_the_seed_decides() -> None:
    lines = [line(question(number), f"a free answer to {number}") for number in range(200)]
    first, again, other = sort(lines), sort(lines), sort(lines, seed=8)
    assert Counter(first.parts) == {"train": 160, "validation": 20, "test": 20}
    assert first.parts == again.parts != other.parts
    assert not first.is_stratified


def test_a_prompt_stays_on_one_side_whatever_its_case_and_spaces() -> None:
    lines = [line(question(number), "first") for number in range(30)]
    lines += [line(f" {question(number).upper()} ", f"second {number}") for number in range(30)]
    parts = sort(lines).parts
    assert parts[:30] == parts[30:]


def test_near_duplicates_stay_on_one_side() -> None:
    text = " ".join(f"word{{0}}-{place}" for place in range(12))
    lines = [
        line(f"{text.format(number)} please", f"answer {number} {wording}")
        for number in range(30)
        for wording in "ab"
    ]
    lines[1::2] = [
        line(f"{text.format(number)} thanks", f"another answer {number}") for number in range(30)
    ]
    sides = sort(lines)
    assert sides.groups == 30
    assert sides.parts[::2] == sides.parts[1::2]


def test_one_instruction_for_all_does_not_make_them_one_group() -> None:
    system = " ".join(f"rule{number}" for number in range(100))
    lines = [line(question(number), f"an answer {number}", system=system) for number in range(40)]
    assert sort(lines).groups == 40


def test_a_system_prompt_that_carries_the_content_tells_prompts_apart() -> None:
    lines = [line("Sum up.", f"short {number}", system=question(number)) for number in range(40)]
    assert sort(lines).groups == 40


def test_each_label_gets_its_share() -> None:
    labels = ["billing"] * 160 + ["login"] * 40
    lines = [line(question(number), label) for number, label in enumerate(labels)]
    sides = sort(lines)
    spread = Counter(zip(labels, sides.parts, strict=True))
    assert sides.is_stratified
    assert (spread["billing", "test"], spread["login", "test"]) == (16, 4)
    assert (spread["billing", "validation"], spread["login", "validation"]) == (16, 4)


def test_a_key_keeps_its_examples_together() -> None:
    lines = [
        line(question(number), f"answer {number}", name=f"customer-{number % 20}")
        for number in range(100)
    ]
    sides = sort(lines, by="/messages/0/name")
    customers = {(number % 20, part) for number, part in enumerate(sides.parts)}
    assert len(customers) == sides.groups == 20


@pytest.mark.parametrize("pointer", ["messages", "/nowhere", "/messages/99", "/messages/x"])
def test_a_key_that_is_nowhere_is_refused(pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        sort([line("a", "b")], by=pointer)
    assert refused.value.faults[0].pointer == "/group_by"


def test_what_may_not_be_torn_apart_cannot_be_split() -> None:
    lines = [line("the same question", f"answer {number}") for number in range(50)]
    with pytest.raises(SplitImpossible, match="50 examples fall into 1 groups"):
        sort(lines)


@given(
    st.lists(st.integers(1, 3), min_size=60, max_size=120),
    st.integers(0, 3),
    st.integers(0, 2**32),
)
def test_every_row_gets_one_part_and_shares_come_out(
    sizes: list[int], strata: int, seed: int
) -> None:
    rows = iter(range(sum(sizes)))
    groups = [[next(rows) for _ in range(size)] for size in sizes]
    names = [str(number % (strata + 1)).encode() for number in range(len(groups))]
    allotted = allot(groups, names, Shares(0.2, 0.1), seed=seed)
    counts: Counter[str] = Counter()
    for members, part in allotted:
        counts[part] += len(members)
    assert sorted(row for members, _ in allotted for row in members) == list(range(sum(sizes)))
    assert abs(counts["validation"] - 0.2 * sum(sizes)) <= 4
    assert abs(counts["test"] - 0.1 * sum(sizes)) <= 4
