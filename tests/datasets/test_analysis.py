"""What a report finds: each kind of fault by its line, and nothing where nothing is wrong."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.datasets import DatasetKind
from app.domain.reporting.analysis import Analysis
from app.domain.reporting.findings import Finding, Level, Report, Severity

NAMES = ("river", "lamp", "stone", "letter", "garden", "window", "mirror", "bridge")


def chat(prompt: str, completion: str, system: str | None = None) -> dict[str, Any]:
    """A question with its answer."""
    opening = [] if system is None else [{"role": "system", "content": system}]
    return {
        "messages": [
            *opening,
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": completion},
        ]
    }


def good(number: int) -> dict[str, Any]:
    """An example in which nothing is wrong, unlike any other."""
    words = [f"{name}{number}" for name in NAMES]
    return chat(" ".join(words), f"Of {number} there is this to tell: {words[number % 8]}.")


def report(rows: list[dict[str, Any]], kind: DatasetKind = DatasetKind.CHAT) -> Report:
    """The report on rows that come in several batches."""
    analysis = Analysis(kind)
    lines = [msgspec.json.encode(row) for row in rows]
    for start in range(0, len(lines), 10):
        analysis.feed(lines[start : start + 10])
    return analysis.finish()


def found(rows: list[dict[str, Any]], code: str) -> Finding:
    """The finding of that code among good rows, which come first: lines 1 to 20."""
    findings = report([*map(good, range(20)), *rows]).findings
    assert [finding.code for finding in findings] == [code]
    return findings[0]


def test_good_rows_have_no_findings() -> None:
    done = report([good(number) for number in range(250)])
    assert done.findings == []
    assert (done.examples, done.compared, done.quantity.level) == (250, 250, Level.USABLE)
    assert "twenty examples" in done.next


def test_too_few_rows_are_said_to_be_too_few() -> None:
    done = report([good(number) for number in range(20)])
    assert done.quantity.level is Level.TOO_FEW
    assert done.next == done.quantity.message


@pytest.mark.parametrize(
    ("row", "code", "severity"),
    [
        (chat("Who?", "Write to jane@acme.io."), "personal_emails", Severity.WARNING),
        (chat("Ring me: +49 30 901820", "I will."), "personal_phones", Severity.WARNING),
        (chat("DE89370400440532013000?", "Paid."), "personal_ibans", Severity.ERROR),
        (chat("4111 1111 1111 1111?", "Paid."), "personal_cards", Severity.ERROR),
        (chat("Key?", "AKIAABCDEFGHIJKLMNOP it is."), "secrets", Severity.ERROR),
        (chat("Hi", "Hello.<|im_end|>"), "template_tokens", Severity.ERROR),
        (chat("[INST] Hi [/INST]", "Hello."), "template_tokens", Severity.ERROR),
        (chat("Hi", "N/A"), "completions_empty", Severity.ERROR),
        (chat("Hi", "It was then that..."), "completions_truncated", Severity.WARNING),
        (chat("Code?", "```python\nprint(1)"), "completions_truncated", Severity.WARNING),
        (chat("Long?", "word " * 50 + "and"), "completions_truncated", Severity.WARNING),
        (chat("JSON?", '{"name": "Jane", "age":'), "completions_broken_json", Severity.ERROR),
        (chat("Hi", "As an AI language model I am."), "completions_boilerplate", Severity.WARNING),
        (chat("Hi", "Dear [your name], hello."), "completions_boilerplate", Severity.WARNING),
    ],
)
def test_a_fault_is_found_by_its_line(row: dict[str, Any], code: str, severity: Severity) -> None:
    finding = found([row], code)
    assert (finding.severity, finding.count, finding.lines) == (severity, 1, [21])
    assert finding.message
    assert finding.advice


def test_an_example_that_comes_twice_is_named_with_its_twin() -> None:
    finding = found([good(3), good(3)], "duplicates_exact")
    assert (finding.count, finding.lines, finding.groups) == (2, [21, 22], [[4, 21, 22]])


def test_one_prompt_with_two_completions_is_a_contradiction() -> None:
    rows = [chat("Where is it?", "Here, I think."), chat("Where is it?", "There, I think.")]
    finding = found(rows, "contradictions")
    assert (finding.severity, finding.groups) == (Severity.WARNING, [[21, 22]])


def test_another_system_prompt_makes_another_prompt() -> None:
    rows = [chat("Go", "Here we go.", "Be bold."), chat("Go", "If I may.", "Be shy.")]
    assert report([*map(good, range(20)), *rows]).findings == []


def test_near_duplicates_are_named_in_groups() -> None:
    long = " ".join(f"word{number}" for number in range(30))
    rows = [chat(long, "One thing."), chat(f"{long} please", "One thing.")]
    finding = found(rows, "duplicates_near")
    assert (finding.lines, finding.groups) == ([22], [[21, 22]])


def labelled(*counts: tuple[str, int]) -> list[dict[str, Any]]:
    """So many different prompts for each label."""
    labels = [label for label, count in counts for _ in range(count)]
    return [
        good(number) | chat(" ".join(f"{name}{number}" for name in NAMES), label)
        for number, label in enumerate(labels)
    ]


def test_labels_are_counted() -> None:
    done = report(labelled(("billing", 60), ("login", 40)))
    assert done.labels is not None
    assert [(one.label, one.count, one.share) for one in done.labels] == [
        ("billing", 60, 0.6),
        ("login", 40, 0.4),
    ]
    assert done.findings == []


def test_free_answers_are_no_labels() -> None:
    assert report([good(number) for number in range(50)]).labels is None


@pytest.mark.parametrize(
    ("counts", "code", "lines"),
    [
        ((("a", 95), ("b", 15)), "labels_unbalanced", [1]),
        ((("a", 40), ("b", 40), ("c", 4)), "labels_rare", [81]),
        ((("Billing", 20), ("login", 20), ("billing ", 20)), "labels_spelled_twice", [1, 41]),
    ],
)
def test_labels_out_of_balance_are_found(
    counts: tuple[tuple[str, int], ...], code: str, lines: list[int]
) -> None:
    [finding] = report(labelled(*counts)).findings
    assert (finding.code, finding.lines) == (code, lines)


def test_contradicting_labels_are_errors() -> None:
    question = "Is this the same as it was?"
    rows = [*labelled(("a", 30), ("b", 30)), chat(question, "a"), chat(question, "b")]
    [finding] = report(rows).findings
    assert (finding.code, finding.severity) == ("contradictions", Severity.ERROR)


def preference(prompt: str, chosen: str, rejected: str) -> dict[str, Any]:
    """A better and a worse answer."""
    return {
        "prompt": [{"role": "user", "content": prompt}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def test_preferences_that_contradict_each_other_are_found() -> None:
    rows = [
        preference("Greet me.", "Hello there.", "What now."),
        preference("Greet me.", "What now.", "Hello there."),
        preference("Greet me.", "Hello there.", "Go away."),
    ]
    [finding] = report(rows, DatasetKind.PREFERENCE).findings
    assert (finding.code, finding.lines) == ("preferences_contradict", [1, 2])


def test_lengths_have_bars_without_gaps() -> None:
    done = report([chat("four", "x" * 40 + "."), chat("fives now", "déjà vu?")])
    prompt, completion = done.prompt, done.completion
    assert [(bar.low, bar.high, bar.count) for bar in prompt.characters.bars] == [
        (4, 7, 1),
        (8, 15, 1),
    ]
    assert (prompt.words.minimum, prompt.words.maximum) == (1, 2)
    assert (completion.characters.median, completion.characters.maximum) == (8, 41)
    assert prompt.estimated_tokens.total == 1 + 2


def test_a_way_of_writing_is_no_torn_end() -> None:
    rows = [chat(good(n)["messages"][0]["content"], f"word{n} " * 60) for n in range(20)]
    assert report(rows).findings == []


def test_a_hundred_lines_are_named_and_the_others_counted() -> None:
    rows = [good(number) for number in range(150)]
    for row in rows:
        row["messages"][0]["content"] += " <|eot_id|>"
    [finding] = report(rows).findings
    assert (finding.count, finding.lines) == (150, list(range(1, 101)))


@pytest.mark.parametrize(
    "bite",
    ["eyJ-", "sk-a-", "0 ", "AA00 ", "a.b-", "a@a.", "[your ", "{{a", "<|a", "-----BEGIN A ", "``"],
)
def test_no_text_keeps_a_pattern_busy(bite: str) -> None:
    done = report([chat(bite * 100_000, bite * 100_000)])
    assert done.examples == 1


@given(st.text(), st.text())
def test_any_text_can_be_reported_on(prompt: str, completion: str) -> None:
    assert report([chat(prompt, completion)]).examples == 1
