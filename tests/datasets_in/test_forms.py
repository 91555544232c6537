"""Rows in every form become the one form that is kept, and lose nothing on the way."""

import json
from typing import Any

import pytest

from app.domain.examples import encode_example
from app.domain.reading.columns import Columns
from app.domain.reading.forms import decode_row

Json = dict[str, Any]

ASK: Json = {"role": "user", "content": "a"}
REPLY: Json = {"role": "assistant", "content": "b"}
OTHER: Json = {"role": "assistant", "content": "c"}
SYSTEM: Json = {"role": "system", "content": "s"}
TOOL: Json = {"type": "function", "function": {"name": "look"}}
PREFERENCE: Json = {"prompt": [ASK], "chosen": [REPLY], "rejected": [OTHER]}


def kept(row: Json, columns: Columns | None = None) -> tuple[str, Json]:
    """The form that was recognised and what is kept."""
    form, example = decode_row(json.dumps(row).encode(), columns or Columns())
    return form, json.loads(encode_example(example))


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"instruction": "a", "output": "b"}, [ASK, REPLY]),
        ({"instruction": "a", "input": "", "output": "b"}, [ASK, REPLY]),
        ({"instruction": "a", "input": "x", "output": "b"}, [ASK | {"content": "a\n\nx"}, REPLY]),
        ({"system": "s", "instruction": "a", "output": "b"}, [SYSTEM, ASK, REPLY]),
        (
            {"instruction": "a", "output": "b", "history": [["a", "c"]], "system": "s"},
            [SYSTEM, ASK, OTHER, ASK, REPLY],
        ),
        ({"instruction": "a", "output": "b", "history": []}, [ASK, REPLY]),
    ],
)
def test_instructions_are_conversations(row: Json, messages: list[Json]) -> None:
    assert kept(row) == ("instruction", {"messages": messages})


@pytest.mark.parametrize("names", [("human", "gpt"), ("user", "assistant"), ("user", "model")])
def test_sharegpt_names_its_speakers_in_many_ways(names: tuple[str, str]) -> None:
    turns = [{"from": names[0], "value": "a"}, {"from": names[1], "value": "b", "weight": 1}]
    row = {"system": "s", "conversations": turns}
    assert kept(row) == ("sharegpt", {"messages": [SYSTEM, ASK, REPLY | {"weight": 1}]})


def test_sharegpt_with_roles_is_read_too() -> None:
    assert kept({"conversations": [ASK, REPLY]}) == ("sharegpt", {"messages": [ASK, REPLY]})


def test_calls_of_sharegpt_are_tied_to_their_answers() -> None:
    turns = [
        {"from": "human", "value": "a"},
        {"from": "function_call", "value": '{"name": "look", "arguments": {"at": "x"}}'},
        {"from": "observation", "value": "found"},
        {"from": "gpt", "value": "b"},
    ]
    _, example = kept({"conversations": turns, "tools": '[{"name": "look"}]'})
    called, answered = example["messages"][1:3]
    assert example["tools"] == [TOOL]
    assert called["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"at":"x"}'}
    assert answered["tool_call_id"] == called["tool_calls"][0]["id"]


def test_a_preference_of_sharegpt_has_one_turn_for_each_answer() -> None:
    turns = [{"from": "human", "value": "a"}]
    answers = {"chosen": {"from": "gpt", "value": "b"}, "rejected": {"from": "gpt", "value": "c"}}
    assert kept({"conversations": turns} | answers) == ("sharegpt", PREFERENCE)
    assert kept({"conversations": [ASK], "chosen": REPLY, "rejected": OTHER})[1] == PREFERENCE


def test_of_a_prompt_of_messages_only_the_completion_is_learned_from() -> None:
    row = {"prompt": [ASK, OTHER, ASK], "completion": [REPLY], "tools": [TOOL]}
    assert kept(row) == (
        "conversational_prompt_completion",
        {"messages": [ASK, OTHER | {"weight": 0}, ASK, REPLY], "tools": [TOOL]},
    )


def test_functions_from_before_there_were_tools_are_tools() -> None:
    call = {"name": "look", "arguments": "{}"}
    asked = {"role": "assistant", "content": None, "function_call": call}
    found = {"role": "function", "name": "look", "content": "c"}
    _, example = kept({"messages": [ASK, asked, found, REPLY], "functions": [TOOL["function"]]})
    [called] = example["messages"][1]["tool_calls"]
    assert called == {"id": "call_1", "function": call, "type": "function"}
    assert example["messages"][2] == {"role": "tool", "content": "c", "tool_call_id": "call_1"}
    assert example["tools"] == [TOOL]


@pytest.mark.parametrize("word", ["output", "completion"])
def test_preferences_of_openai_keep_their_tools(word: str) -> None:
    asked = {"messages": [ASK], "tools": [TOOL], "parallel_tool_calls": False}
    row = {"input": asked, f"preferred_{word}": [REPLY], f"non_preferred_{word}": [OTHER]}
    more = {"tools": [TOOL], "parallel_tool_calls": False}
    assert kept(row) == ("openai_preference", PREFERENCE | more)


def test_columns_name_what_a_row_calls_otherwise() -> None:
    columns = Columns({"question": "prompt", "answer": "completion", "id": None})
    row = {"id": 7, "question": "a", "answer": "b"}
    assert kept(row, columns) == ("prompt_completion", {"messages": [ASK, REPLY]})


def test_large_numbers_are_kept_to_the_last_digit() -> None:
    tools = [{"maximum": 123456789012345678901234567890}]
    assert kept({"messages": [ASK, REPLY], "tools": tools})[1]["tools"] == tools
