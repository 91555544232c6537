"""Languages: told where a text is long enough, and lines that fall out of the rest are named."""

import msgspec
import pytest

from app.domain.datasets import DatasetKind
from app.domain.examples import decode_example
from app.domain.reporting import languages
from app.domain.reporting.analysis import Analysis
from app.domain.reporting.findings import Finding, LanguageShare, Severity
from app.domain.reporting.languages import Languages
from app.domain.reporting.parts import Parts, take_apart
from app.domain.reporting.tongues import language_of
from tests.datasets.test_analysis import chat

ENGLISH = "Where did you put the letters that came for me this morning?"
GERMAN = "Die Briefe liegen auf dem Tisch neben der Tür, wo du sie immer suchst."
FRENCH = "Les lettres sont sur la table, près de la porte, comme tous les matins."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        (FRENCH, "fr"),
        (ENGLISH.upper(), "en"),
        ("Где письма, которые пришли для меня сегодня утром?", "ru"),
        ("今朝わたしに届いた手紙はどこにありますか。", "ja"),
        ("今天早上寄给我的信在哪里。", "zh"),
        (f"```python\nprint('Where are all the letters?')\n```\n{FRENCH}", "fr"),
    ],
)
def test_a_language_is_told(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        *("", "billing", "Danke sehr!", "はい", "4 + 4 = 8 " * 20),
        '{"name": "Where did you put the letters?"}',
        "https://example.com/where/did/you/put/the/letters/of/this/morning",
    ],
)
def test_what_is_short_or_no_prose_is_not_guessed(text: str) -> None:
    assert language_of(text) is None


def line_of(prompt: str, completion: str) -> bytes:
    """A canonical line."""
    return msgspec.json.encode(chat(prompt, completion))


def taken_apart(prompt: str, completion: str) -> Parts:
    """The parts of an example."""
    return take_apart(decode_example(line_of(prompt, completion), DatasetKind.CHAT))


def findings(*pairs: tuple[str, str]) -> list[Finding]:
    """What is found in so many examples."""
    seen = Languages()
    for line, (prompt, completion) in enumerate(pairs, start=1):
        seen.see(line, taken_apart(prompt, completion))
    return seen.findings()


def test_one_language_has_no_findings() -> None:
    assert findings(*[(ENGLISH, ENGLISH)] * 40) == []


def test_the_lines_of_a_rare_language_are_named() -> None:
    [finding] = findings(*[(ENGLISH, ENGLISH)] * 60, (GERMAN, GERMAN))
    assert (finding.code, finding.severity) == ("languages_rare", Severity.WARNING)
    assert (finding.count, finding.lines) == (1, [61])


def test_several_languages_are_told_with_their_numbers() -> None:
    [finding] = findings(*[(ENGLISH, ENGLISH)] * 30, *[(GERMAN, GERMAN)] * 20)
    assert (finding.code, finding.severity) == ("languages_several", Severity.INFO)
    assert finding.message == "The examples are in 2 languages: en 30, de 20."
    assert finding.lines == list(range(31, 51))


def test_a_prompt_that_is_answered_in_another_language_is_named() -> None:
    rare, differ = findings(*[(ENGLISH, ENGLISH)] * 60, (ENGLISH, GERMAN))
    assert (rare.code, rare.lines) == ("languages_rare", [61])
    assert (differ.code, differ.severity, differ.lines) == (
        "languages_differ",
        Severity.WARNING,
        [61],
    )


def test_a_translation_is_no_fault() -> None:
    several, differ = findings(*[(ENGLISH, GERMAN)] * 40)
    assert (several.severity, differ.severity) == (Severity.INFO, Severity.INFO)
    assert (differ.code, differ.count) == ("languages_differ", 40)


def test_of_a_large_dataset_one_line_in_five_is_looked_at() -> None:
    seen = Languages()
    parts = taken_apart("a", "b")
    for line in range(languages.ALL_UNTIL - 9, languages.ALL_UNTIL + 11):
        seen.see(line, parts)
    assert seen.mix().examined == 10 + 2
    assert seen.mix().prompt == [LanguageShare("unknown", 12, 1.0)]


def test_a_report_has_the_mix_of_both_sides() -> None:
    analysis = Analysis(DatasetKind.CHAT)
    analysis.feed([line_of(ENGLISH, GERMAN)])
    mix = analysis.finish().languages
    assert (mix.prompt, mix.completion) == (
        [LanguageShare("en", 1, 1.0)],
        [LanguageShare("de", 1, 1.0)],
    )
