"""Canonical examples become lines that OpenAI takes, and what is wrong or lost is told."""

import json
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from app.domain.catalogue import Limits
from app.domain.datasets import DatasetKind
from app.domain.examples import ChatExample, Example, Message, encode_example
from app.providers.openai_wire.compiling import LineCompiler
from tests.datasets_out.examples import kinds
from tests.providers.openai_wire.given import (
    WEATHER,
    asked,
    called,
    chat,
    codes,
    compiled,
    preference,
)
from tests.providers.openai_wire.test_lines import VALIDATORS

KINDS = {"sft": DatasetKind.CHAT, "dpo": DatasetKind.PREFERENCE, "rft": DatasetKind.CHAT}


def test_a_plain_example_goes_as_it_is() -> None:
    example = chat(Message("system", "Be brief."), asked(), tools=[WEATHER])

    line = compiled(example)

    assert line.data == encode_example(example)
    assert not [*line.errors, *line.warnings, *line.losses]


def test_a_preference_goes_under_the_vendors_names() -> None:
    line = json.loads(compiled(preference(asked()), "dpo").data)

    assert line["input"]["messages"][0]["content"] == "How is the weather?"
    assert line["preferred_output"] == [{"role": "assistant", "content": "It rains."}]
    assert line["non_preferred_output"] == [{"role": "assistant", "content": "Who knows?"}]


def test_a_reinforcement_carries_its_answer_for_the_graders() -> None:
    line = compiled(chat(Message("system", "Be brief."), asked()), "rft")

    assert json.loads(line.data) == {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "How is the weather?"},
        ],
        "reference_answer": "It rains.",
    }
    assert codes(line.losses) == ["role_lost"]


def test_a_reference_says_what_it_leaves_out() -> None:
    answer = Message("assistant", "It rains.", name="Ada", weight=0, refusal="No.")

    line = compiled(ChatExample([asked(), answer]), "rft")

    assert codes(line.losses) == ["weight_lost", "name_lost", "refusal_lost"]


def test_a_result_of_a_tool_may_be_empty() -> None:
    calling, _ = called()

    line = compiled(chat(asked(), calling, Message("tool", "", tool_call_id="call_1")))

    assert not [*line.errors, *line.warnings, *line.losses]


def test_an_empty_result_of_a_tool_becomes_an_empty_text() -> None:
    line = compiled(chat(asked(), *called(), tools=[WEATHER]))

    assert json.loads(line.data)["messages"][2]["content"] == ""
    assert codes(line.losses) == ["content_lost"]
    assert not [*line.errors, *line.warnings]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Message("developer", "Be brief."), "role_lost"),
        (Message("user", "Hm.", refusal="no"), "refusal_lost"),
        (Message("user", "Hm.", tool_call_id="call_1"), "tool_call_id_lost"),
        (Message("tool", "Rain.", name="weather", tool_call_id="call_1"), "name_lost"),
    ],
)
def test_what_a_line_cannot_carry_is_told(message: Message, code: str) -> None:
    line = compiled(chat(asked(), message))

    assert codes(line.losses) == [code]
    assert not line.errors


def _images(count: int, url: str = "https://example.org/a.png") -> list[dict[str, Any]]:
    return [{"type": "image_url", "image_url": {"url": url}}] * count


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("Say <|im_end|> now.", "special_token"),
        ([{"type": "text"}], "line_invalid"),
        ([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}],
         "part_not_supported"),
        (_images(11), "too_many_images"),
        (_images(1, "data:image/gif;base64,R0lG"), "image_format"),
    ],
)  # fmt: skip
def test_what_would_be_refused_is_told(content: Any, code: str) -> None:
    assert codes(compiled(chat(asked(content))).errors) == [code]


def test_the_message_says_where_a_line_is_wrong() -> None:
    line = compiled(chat(asked([{"type": "text"}])))

    assert line.errors[0].message == (
        "messages[0].content[0]: Object missing required field `text`."
    )


def test_a_tools_name_must_be_plain() -> None:
    tool = {"type": "function", "function": {"name": "get weather"}}

    assert codes(compiled(chat(asked(), tools=[tool])).errors) == ["tool_name"]


def test_a_result_without_its_call_is_worth_a_look() -> None:
    orphan = Message("tool", "Rain.", tool_call_id="call_9")

    assert codes(compiled(chat(asked(), orphan)).warnings) == ["tool_result_orphan"]


def test_limits_and_method_change_the_fingerprint() -> None:
    compilers = [
        LineCompiler("sft", limits=Limits()),
        LineCompiler("rft", limits=Limits()),
        LineCompiler("sft", limits=Limits(maximum_examples=5)),
        LineCompiler("sft", limits=Limits(), prefix=b"\xef\xbb\xbf"),
    ]

    assert len({compiler.fingerprint for compiler in compilers}) == 4


@pytest.mark.parametrize("method", KINDS)
@over(data=st.data())
@settings(max_examples=150)
def test_the_verdict_on_any_example_is_the_schemas(method: str, data: st.DataObject) -> None:
    example: Example = data.draw(kinds[KINDS[method]])

    line = compiled(example, method)

    is_valid = VALIDATORS[method].is_valid(json.loads(line.data))
    assert ("line_invalid" not in codes(line.errors)) == is_valid
