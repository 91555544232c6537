"""Deduplication: what is dropped says nothing new, what a person has to decide stays."""

from typing import Any

import msgspec
import pytest

from app.domain.curation.deduplicating import Duplicates, Verdict
from app.domain.datasets import DatasetKind
from app.domain.examples import encode_example
from app.domain.reading.forms import decode_row

LONG = "Please tell me where my order of last Monday is and when it will be delivered to my home"


def verdict(rows: list[dict[str, Any]], *, threshold: float | None = 0.75) -> Verdict:
    """What repeats what in rows of any form."""
    lines = [encode_example(decode_row(msgspec.json.encode(row))[1]) for row in rows]
    kind = DatasetKind.PREFERENCE if "chosen" in rows[0] else DatasetKind.CHAT
    duplicates = Duplicates(kind, threshold=threshold)
    for start in range(0, len(lines), 2):
        duplicates.feed(lines[start : start + 2])
    if duplicates.cluster():
        for start in range(0, len(lines), 2):
            duplicates.reread(lines[start : start + 2])
    return duplicates.verdict()


def row(prompt: str, completion: str, **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "completion": completion} | more


def test_the_first_of_exact_repeats_is_kept() -> None:
    found = verdict([row("a", "b"), row("c", "d"), row("a", "b"), row("a", "b")], threshold=None)
    assert (found.exact, found.near, found.contradictions) == ([[1, 3, 4]], [], [])
    assert found.dropped == {3, 4}


def test_near_prompts_with_the_same_answer_are_dropped() -> None:
    rows = [row(LONG, "order.status"), row("other", "x"), row(f"{LONG}, thanks", "Order.Status")]
    assert verdict(rows).near == [[1, 3]]
    assert verdict(rows, threshold=None).dropped == set()
    assert verdict(rows, threshold=1.0).dropped == set()


def test_contradictions_are_kept_and_named() -> None:
    found = verdict([row("a", "yes"), row("a", "no"), row("b", "no"), row("a", "yes")])
    assert (found.exact, found.contradictions) == ([[1, 4]], [[1, 2]])
    assert found.dropped == {4}


def test_near_prompts_with_other_answers_are_kept_and_named() -> None:
    found = verdict([row(LONG, "order.status"), row(f"{LONG}, thanks", "billing.refund")])
    assert (found.near, found.contradictions, found.dropped) == ([], [[1, 2]], set())


def test_long_answers_may_be_nearly_the_same() -> None:
    found = verdict([row(LONG, f"{LONG}?"), row(f"{LONG}, thanks", f"{LONG}, dear?")])
    assert found.near == [[1, 2]]


def test_another_system_prompt_is_another_task() -> None:
    languages = [row("Hello", "ok", system=f"Answer in {name}") for name in ("French", "German")]
    found = verdict([*languages, *languages])
    assert (found.exact, found.near) == ([[1, 3], [2, 4]], [])


def test_calls_of_tools_have_to_be_the_same() -> None:
    def calls(name: str, prompt: str) -> dict[str, Any]:
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": "{}"}}
        return {
            "messages": [
                {"role": "user", "content": prompt},
                {"role": "assistant", "tool_calls": [call]},
            ]
        }

    found = verdict(
        [calls("status", LONG), calls("cancel", f"{LONG}!"), calls("status", f"{LONG}?")]
    )
    assert (found.near, found.contradictions) == ([[1, 3]], [[1, 2]])


@pytest.mark.parametrize(("rejected", "dropped"), [("bad", {2}), ("worse", set[int]())])
def test_preferences_have_to_be_the_same_pair(rejected: str, dropped: set[int]) -> None:
    first = {"prompt": LONG, "chosen": "good", "rejected": "bad"}
    found = verdict([first, first | {"prompt": f"{LONG}!", "rejected": rejected}])
    assert (found.dropped, found.contradictions) == (dropped, [])
