"""Requests in OpenAI's shape as Gemini's, and its answers back."""

from typing import Any

import pytest

from app.domain.errors import Invalid
from app.providers.vertex.questions import Chunks, completion, question

HELLO = [{"role": "user", "content": "Hello"}]


def test_settings_tools_and_formats_are_carried() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    asked = question(
        {
            "messages": [{"role": "system", "content": "Be brief."}, *HELLO],
            "max_completion_tokens": 9,
            "stop": "END",
            "seed": None,
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "response_format": {"type": "json_schema", "json_schema": {"schema": schema}},
        }
    )

    assert asked.contents == [{"role": "user", "parts": [{"text": "Hello"}]}]
    calling = {"mode": "ANY", "allowedFunctionNames": ["f"]}
    assert asked.config == {
        "maxOutputTokens": 9,
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
        "stopSequences": ["END"],
        "toolConfig": {"functionCallingConfig": calling},
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"logit_bias": {"1": 2}}, "/logit_bias"),
        ({"messages": [{"role": "robot"}]}, "/messages"),
        ({"messages": []}, "/messages"),
        ({"tool_choice": "maybe"}, "/tool_choice"),
        ({"response_format": {"type": "poem"}}, "/response_format"),
    ],
)
def test_what_gemini_cannot_be_sent_is_invalid(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        question({"messages": HELLO} | changes)

    assert refused.value.faults[0].pointer == pointer


@pytest.mark.parametrize(
    ("reason", "ending"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter")],
)
def test_why_an_answer_ended(reason: str, ending: str) -> None:
    parts = [{"text": "hm", "thought": True}, {"text": "Hi."}]
    answer = {"candidates": [{"content": {"parts": parts}, "finishReason": reason}]}

    told = completion(answer, model="m", created=1)

    assert told["choices"][0]["message"]["content"] == "Hi."
    assert told["choices"][0]["finish_reason"] == ending


def test_a_question_that_was_blocked_is_filtered() -> None:
    told = completion({"promptFeedback": {"blockReason": "SAFETY"}}, model="m", created=1)

    assert told["choices"][0]["finish_reason"] == "content_filter"


def test_thoughts_are_counted_with_the_answer() -> None:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}

    told = completion({"usageMetadata": usage}, model="m", created=1)

    assert told["usage"] == {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}


def test_several_answers_stream_beside_each_other() -> None:
    chunks = Chunks(model="m", created=1, with_usage=False)
    part = {"content": {"parts": [{"text": "a"}]}}

    told = list(chunks.of({"candidates": [part | {"index": 0}, part | {"index": 1}]}))

    assert [chunk["choices"][0]["index"] for chunk in told] == [0, 1]
    assert [chunk["choices"][0]["delta"]["role"] for chunk in told] == ["assistant"] * 2
    assert not chunks.is_whole
