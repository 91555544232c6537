"""Rows in every accepted form, every reason to refuse one, and the form that is kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.datasets import DatasetKind
from app.domain.examples import (
    ChatExample,
    Example,
    FunctionCall,
    Message,
    PreferenceExample,
    RowInvalid,
    ToolCall,
    decode_example,
    encode_example,
    kind_of,
)
from app.domain.reading.forms import decode_row

Json = dict[str, Any]

ASK: Json = {"role": "user", "content": "a"}
REPLY: Json = {"role": "assistant", "content": "b"}
CALL: Json = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def encoded(row: Any) -> bytes:
    """A row as a line."""
    return json.dumps(row).encode()


def chat(*messages: Json, **more: Any) -> Json:
    """A chat row."""
    return {"messages": list(messages), **more}


@pytest.mark.parametrize(
    ("row", "format_", "messages"),
    [
        ({"prompt": "a", "completion": "b"}, "prompt_completion", [ASK, REPLY]),
        (
            {"system": "s", "prompt": "a", "completion": "b"},
            "prompt_completion",
            [{"role": "system", "content": "s"}, ASK, REPLY],
        ),
        (chat(ASK, REPLY), "chat", [ASK, REPLY]),
        (chat(ASK, REPLY | {"weight": 0}, ASK, REPLY), "chat", [
            ASK, REPLY | {"weight": 0}, ASK, REPLY
        ]),
    ],
)  # fmt: skip
def test_conversations_are_read(row: Json, format_: str, messages: list[Json]) -> None:
    found, example = decode_row(encoded(row))
    assert (found, kind_of(example)) == (format_, DatasetKind.CHAT)
    assert json.loads(encode_example(example)) == {"messages": messages}


def test_tools_are_kept() -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        ASK,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "1", "content": "found"},
        REPLY | {"refusal": None},
    ]
    row = chat(*turns, tools=[{"type": "function"}], parallel_tool_calls=False)
    _, example = decode_row(encoded(row))
    kept = json.loads(encode_example(example))
    assert kept["tools"] == row["tools"]
    assert kept["parallel_tool_calls"] is False
    assert kept["messages"][2]["tool_calls"][0]["function"] == CALL["function"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "not_json"),
        (b"nonsense", "not_json"),
        (b'{"prompt": "a", "completion": "b"} {}', "not_json"),
        (b'{"messages": [', "not_json"),
        (b'{"prompt": NaN, "completion": "b"}', "not_finite"),
        (b'{"prompt": "\xff", "completion": "b"}', "not_utf8"),
        (b'{"messages": [{"role": "user", "content": "\xff"}]}', "not_utf8"),
        (b"[" * 100_000, "row_too_deep"),
        (b'{"messages": ' + b"[" * 100_000, "row_shape"),
        (b"[]", "row_not_object"),
        (b'"text"', "row_not_object"),
        (b"null", "row_not_object"),
        (b"{}", "row_keys"),
        (b'{"question": "a", "answer": "b"}', "row_keys"),
        (b'{"prompt": "a"}', "row_shape"),
        (b'{"completion": "b"}', "row_shape"),
        (b'{"prompt": ["a"], "completion": "b"}', "row_shape"),
        (b'{"prompt": null, "completion": "b"}', "row_shape"),
        (b'{"prompt": "a", "completion": "b", "id": 1}', "row_shape"),
        (b'{"prompt": "", "completion": "b"}', "content_empty"),
        (b'{"prompt": " \\n", "completion": "b"}', "content_empty"),
        (b'{"prompt": "a", "completion": ""}', "completion_empty"),
        (b'{"prompt": "a", "completion": " \\n"}', "completion_empty"),
        (b'{"prompt": "a", "completion": "b", "system": ""}', "content_empty"),
    ],
)
def test_a_line_that_is_no_example_is_refused(line: bytes, code: str) -> None:
    with pytest.raises(RowInvalid) as refused:
        decode_row(line)
    assert refused.value.code == code
    assert refused.value.at(7).line == 7


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (chat(), "messages_empty"),
        (chat(ASK), "role_order"),
        (chat(REPLY), "role_order"),
        (chat(REPLY, ASK), "role_order"),
        (chat({"role": "robot", "content": "a"}, REPLY), "row_shape"),
        (chat({"content": "a"}, REPLY), "row_shape"),
        (chat(ASK | {"mood": "good"}, REPLY), "row_shape"),
        (chat(ASK | {"weight": 1}, REPLY), "weight_role"),
        (chat(ASK, REPLY | {"weight": 2}), "row_shape"),
        (chat(ASK, REPLY | {"weight": True}), "row_shape"),
        (chat(ASK, REPLY | {"weight": 0}), "weight_zero"),
        (chat(ASK, {"role": "assistant"}), "completion_empty"),
        (chat(ASK, REPLY | {"content": []}), "completion_empty"),
        (chat(ASK | {"content": None}, REPLY), "content_empty"),
        (chat(ASK | {"tool_calls": [CALL]}, REPLY), "tool_calls_role"),
        (chat(ASK, {"role": "tool", "content": "x"}, REPLY), "tool_call_id"),
        (chat(ASK, REPLY, colour="red"), "row_shape"),
        ({"prompt": "a", "chosen": "b", "rejected": "b"}, "preference_equal"),
        ({"prompt": "a", "chosen": "", "rejected": "b"}, "completion_empty"),
        ({"prompt": "a", "chosen": [REPLY], "rejected": [REPLY]}, "row_shape"),
        ({"prompt": [ASK], "chosen": [ASK], "rejected": [REPLY]}, "role_order"),
        ({"prompt": [ASK], "chosen": [], "rejected": [REPLY]}, "messages_empty"),
        ({"prompt": [], "chosen": [REPLY], "rejected": [REPLY]}, "messages_empty"),
    ],
)
def test_a_row_that_teaches_nothing_is_refused(row: Json, code: str) -> None:
    with pytest.raises(RowInvalid) as refused:
        decode_row(encoded(row))
    assert refused.value.code == code
    assert refused.value.message.endswith(".")


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
asked = st.builds(Message, st.sampled_from(["user", "system", "developer"]), texts)
calls = st.builds(ToolCall, texts, st.builds(FunctionCall, texts, texts))
answered = st.builds(Message, st.just("assistant"), texts, weight=st.sampled_from([None, 1])) | (
    st.builds(Message, st.just("assistant"), tool_calls=st.lists(calls, min_size=1, max_size=2))
)
tools = st.none() | st.lists(st.dictionaries(texts, texts, max_size=2), max_size=2)


@st.composite
def chats(draw: st.DrawFn) -> ChatExample:
    """Conversations that end with an answer to a user."""
    before = draw(st.lists(asked | answered, max_size=3))
    return ChatExample([*before, Message("user", "?"), draw(answered)], draw(tools))


@st.composite
def preferences(draw: st.DrawFn) -> PreferenceExample:
    """Choices between two different answers."""
    chosen = draw(st.lists(answered, min_size=1, max_size=2))
    rejected = [*chosen, Message("assistant", "or not")]
    prompt = draw(st.lists(asked, min_size=1, max_size=3))
    return PreferenceExample(prompt, chosen, rejected, draw(tools))


@given(chats() | preferences())
def test_what_is_kept_is_read_back_the_same(example: Example) -> None:
    line = encode_example(example)
    assert b"\n" not in line
    assert decode_example(line, kind_of(example)) == example
    assert decode_row(line)[1] == example
