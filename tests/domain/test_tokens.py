"""The estimate of tokens, against what o200k_base counts."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.examples import ChatExample, PreferenceExample
from app.domain.tokens import (
    ESTIMATE,
    MESSAGE_TOKENS,
    PART_TOKENS,
    estimate_example,
    estimate_tokens,
)

COUNTED = [
    (
        "It is a truth universally acknowledged, that a single man in possession of a good "
        "fortune, must be in want of a wife.",
        26,
    ),
    (
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit "
        "Vernunft und Gewissen begabt.",
        26,
    ),
    ("人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心。", 24),
    ("すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。", 35),
    ("सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।", 25),
    ('{"id": 48213, "name": "Jane", "price": 12.99, "tags": ["new", "blue"], "active": true}', 35),
    (
        "def area(width: int, height: int) -> int:\n    if width < 0:\n"
        "        raise ValueError(width)\n    return width * height\n",
        32,
    ),
]


@pytest.mark.parametrize(("text", "counted"), COUNTED)
def test_the_estimate_is_near_the_count(text: str, counted: int) -> None:
    assert estimate_tokens(text) == pytest.approx(counted, rel=0.15)


def test_nothing_is_no_token_and_a_letter_is_one() -> None:
    assert (estimate_tokens(""), estimate_tokens("a"), estimate_tokens("\ud800")) == (0, 1, 1)


@given(st.text(), st.text())
def test_more_text_is_not_fewer_tokens(one: str, other: str) -> None:
    assert estimate_tokens(one) <= estimate_tokens(f"{one}x{other}") + 1


def chat(*messages: dict[str, Any], **others: Any) -> int:
    """The estimate for a conversation."""
    return estimate_example(msgspec.convert({"messages": messages} | others, ChatExample))


USER = {"role": "user", "content": "What is the weather?"}
ANSWER = {"role": "assistant", "content": "Sunny."}


def test_every_message_has_a_frame() -> None:
    texts = estimate_tokens("What is the weather?\nSunny.")
    assert chat(USER, ANSWER) == texts + 2 * MESSAGE_TOKENS


def test_tools_and_their_calls_count() -> None:
    call = {"id": "1", "function": {"name": "look_up", "arguments": '{"city": "Rome"}'}}
    asked = chat(USER, {"role": "assistant", "tool_calls": [call]})
    assert asked > chat(USER, {"role": "assistant", "content": "."})
    assert chat(USER, ANSWER, tools=[{"type": "function"}]) > chat(USER, ANSWER)


def test_an_image_counts_by_its_kind_and_not_by_its_bytes() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9_000}}
    text = {"type": "text", "text": USER["content"]}
    seen = chat({"role": "user", "content": [text, image]}, ANSWER)
    assert seen == chat(USER, ANSWER) + PART_TOKENS


def test_a_preference_counts_both_answers() -> None:
    example = {"prompt": [USER], "chosen": [ANSWER], "rejected": [ANSWER]}
    both = estimate_example(msgspec.convert(example, PreferenceExample))
    assert both == chat(USER, ANSWER, ANSWER)


def test_the_measure_says_that_it_is_an_estimate() -> None:
    assert (ESTIMATE.name, ESTIMATE.exact) == ("estimate", False)
    assert "o200k_base" in (ESTIMATE.error or "")
