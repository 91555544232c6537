"""Text from tokens, tool calls from text, and what a request may ask for."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from app.providers.local.inference.errors import InferenceRejected
from app.providers.local.inference.requests import read_chat_request
from app.providers.local.inference.text import TextStream
from app.providers.local.inference.toolcalls import ToolCallReader

MINIMAL: dict[str, Any] = {"model": "base:x", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def tokenizer(base_folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(base_folder)


def pieces(tokenizer: Any, text: str, *stops: str) -> list[str]:
    stream = TextStream(tokenizer, stops)
    return [*(stream.push(token) for token in tokenizer.encode(text)), stream.finish()]


def test_characters_come_whole(tokenizer: Any) -> None:
    said = pieces(tokenizer, "naïve 你好 🙂 end")

    assert "".join(said) == "naïve 你好 🙂 end"
    assert not any("\ufffd" in piece for piece in said)


def test_bytes_that_are_no_character_come_at_the_end(tokenizer: Any) -> None:
    half = tokenizer.encode("🙂")[:2]
    stream = TextStream(tokenizer)

    assert [stream.push(token) for token in half] == ["", ""]
    assert stream.finish() == "\ufffd"


def test_a_stop_string_is_found_across_tokens_and_never_shown(tokenizer: Any) -> None:
    assert "".join(pieces(tokenizer, "one <END> two", "<END>", "</s>")) == "one "
    assert "".join(pieces(tokenizer, "one <EN two <", "<END>")) == "one <EN two <"


def test_tool_calls_are_read_from_the_known_form() -> None:
    reader = ToolCallReader(active=True)
    call = '<tool_call>\n{"name": "look", "arguments": {"at": 1}}\n</tool_call>'

    said = "".join(reader.push(letter) for letter in f"Let me see. {call}")
    rest, calls = reader.finish()

    assert (said, rest) == ("Let me see. ", "")
    assert calls[0]["function"]["name"] == "look"
    assert json.loads(calls[0]["function"]["arguments"]) == {"at": 1}


@pytest.mark.parametrize("text", ["<tool_call>{broken</tool_call>", "<tool_call>", "a < b"])
def test_what_is_no_tool_call_stays_text(text: str) -> None:
    reader = ToolCallReader(active=True)

    said = reader.push(text)
    rest, calls = reader.finish()

    assert said + rest == text
    assert calls == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"n": 2}, "unsupported_value"),
        ({"logprobs": True}, "unsupported_value"),
        ({"response_format": {"type": "json_schema"}}, "unsupported_value"),
        ({"tool_choice": "required"}, "unsupported_value"),
        ({"top_k": 5}, "unknown_parameter"),
        ({"temperature": 3}, "invalid_value"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "invalid_value"),
        ({"messages": []}, "invalid_value"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(asked: dict[str, Any], code: str) -> None:
    with pytest.raises(InferenceRejected) as refusal:
        read_chat_request(MINIMAL | asked)

    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert refusal.value.param == next(iter(asked))


def test_what_changes_nothing_is_taken() -> None:
    harmless = {"n": 1, "user": "me", "metadata": {"a": "b"}, "store": False, "logit_bias": None}

    request = read_chat_request(MINIMAL | harmless | {"stop": "END", "tool_choice": "auto"})

    assert request.stop == ["END"]


def test_text_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    message = {"role": "developer", "content": parts}

    request = read_chat_request(MINIMAL | {"messages": [message]})

    assert request.turns() == [{"role": "system", "content": "one two"}]
