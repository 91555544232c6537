"""Google's lines as canonical examples again: what was compiled comes back as it was."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from app.domain.datasets import DatasetKind
from app.domain.errors import DatasetInvalid
from app.domain.examples import RowInvalid, check_example, decode_example
from app.domain.reading.forms import decode_row
from app.providers.vertex.restoring import Restoration, restored
from app.providers.vertex.schemas import restore, translate
from app.providers.vertex.tools import result_part
from tests.providers.vertex.examples import chats, pairs
from tests.providers.vertex.test_compiling import compiled

QUESTION = {"role": "user", "parts": [{"text": "Hello"}]}
ANSWER = {"role": "model", "parts": [{"text": "Hi."}]}


def back(line: Any) -> Any:
    """The canonical example of a line, both as JSON."""
    return json.loads(restored(json.dumps(line).encode()))


def model(**part: Any) -> Any:
    """A turn of the model that is one part."""
    return {"role": "model", "parts": [part]}


def user(*parts: Any) -> Any:
    """A turn of the user."""
    return {"role": "user", "parts": list(parts)}


def called(name: str, arguments: Any, id: str) -> Any:
    """A call as it is canonical."""
    return {"id": id, "function": {"name": name, "arguments": arguments}, "type": "function"}


def test_a_conversation_with_tools() -> None:
    calls = [{"functionCall": {"name": "f", "args": {"x": x}}} for x in (1, 2)]
    results = [{"function_response": {"name": "f", "response": {"y": y}}} for y in (3, 4)]
    turns = [QUESTION, {"role": "model", "parts": calls}, user(*results), ANSWER]

    example = back({"system_instruction": {"parts": [{"text": "Be brief."}]}, "contents": turns})

    made = [called("f", '{"x":1}', "call_0"), called("f", '{"x":2}', "call_1")]
    assert example["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "tool_calls": made},
        {"role": "tool", "content": '{"y":3}', "tool_call_id": "call_0"},
        {"role": "tool", "content": '{"y":4}', "tool_call_id": "call_1"},
        {"role": "assistant", "content": "Hi."},
    ]


def test_results_with_ids_answer_their_calls() -> None:
    calls = [{"functionCall": {"name": "f", "id": id}} for id in "ab"]
    results = [
        {"functionResponse": {"name": "f", "id": id, "response": {"output": id}}} for id in "ba"
    ]

    example = back({"contents": [QUESTION, {"role": "model", "parts": calls}, user(*results)]})

    told = [(one["tool_call_id"], one["content"]) for one in example["messages"][2:]]
    assert told == [("b", "b"), ("a", "a")]


def test_images_come_by_their_address_or_whole() -> None:
    there = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}
    here = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}

    example = back({"contents": [user(there, here), ANSWER]})

    urls = [part["image_url"]["url"] for part in example["messages"][0]["content"]]
    assert urls == ["gs://b/a.png", "data:image/png;base64,AAAA"]


def test_a_preference_is_ranked_by_its_scores() -> None:
    worse, better = model(text="No."), model(text="Yes.")
    answers = [{"score": 0, "completion": worse}, {"score": 1, "completion": better}]

    example = back({"contents": [QUESTION], "completions": answers})

    assert example["chosen"] == [{"role": "assistant", "content": "Yes."}]
    assert example["rejected"] == [{"role": "assistant", "content": "No."}]


def test_the_schema_of_a_tool() -> None:
    theirs = {
        "type": "OBJECT",
        "property_ordering": ["any_of"],
        "properties": {"any_of": {"type": "STRING", "nullable": True, "minLength": "3"}},
        "defs": {"a": {"type": "ARRAY", "items": {"ref": "#/defs/a"}}},
    }

    assert restore(theirs) == {
        "type": "object",
        "propertyOrdering": ["any_of"],
        "properties": {"any_of": {"type": ["string", "null"], "minLength": 3}},
        "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}},
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"contents": [QUESTION, model(text="a", thought=True)]}, "row_shape"),
        ({"contents": [QUESTION, model(executableCode={})]}, "row_shape"),
        ({"contents": [QUESTION, model(fileData={"mimeType": "audio/mp3", "fileUri": "gs://b/a"})]},
         "part_unsupported"),
        ({"contents": [QUESTION, model(text="a", functionCall={"name": "f"})]},
         "part_unsupported"),
        ({"contents": [user({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a"}})]},
         "image_type"),
        ({"contents": [user({"functionResponse": {"name": "f"}})]}, "tool_call_unknown"),
        ({"contents": [QUESTION, ANSWER], "generationConfig": {}}, "row_shape"),
        ({"contents": [QUESTION, ANSWER], "tools": [{"googleSearch": {}}]}, "row_shape"),
        ({"contents": [{"role": "tool", "parts": [{"text": "a"}]}]}, "row_shape"),
        ({"contents": [QUESTION], "completions": [{"score": 1, "completion": ANSWER}] * 2},
         "row_shape"),
        ({"contents": "Hello"}, "row_shape"),
    ],
)  # fmt: skip
def test_what_would_be_lost_is_refused(line: Any, code: str) -> None:
    with pytest.raises(RowInvalid) as refusal:
        back(line)

    assert refusal.value.code == code


def test_refused_rows_are_told_with_their_lines() -> None:
    good, bad = {"contents": [QUESTION, ANSWER]}, {"contents": [QUESTION], "labels": {}}
    lines = [json.dumps(row).encode() + b"\n" for row in (good, bad, good, bad)]
    restoration = Restoration()
    restoration.take([lines[0], b"\n"])

    assert restoration.take(lines[1:]) == b""

    with pytest.raises(DatasetInvalid) as refusal:
        restoration.finish()
    assert [fault.line for fault in refusal.value.faults] == [3, 5]


@pytest.mark.parametrize("line", [b"", b"\n", b"half {", b'{"messages": []}', b"[1]\n", b"\xff"])
def test_what_is_not_googles_stays_as_it_is(line: bytes) -> None:
    assert restored(line) == line


@settings(
    max_examples=500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(chats | pairs)
def test_what_was_compiled_comes_back(example: Any) -> None:
    kind = DatasetKind.CHAT if "messages" in example else DatasetKind.PREFERENCE
    try:
        check_example(decode_example(json.dumps(example).encode(), kind))
    except RowInvalid:
        return
    there = compiled(example)
    if there.errors or _has_equal_answers(there):
        return

    again = json.loads(restored(there.data))

    decode_row(restored(there.data))
    assert _googles(compiled(again)) == _googles(there)
    if not there.losses:
        assert [_said(again[key]) for key in _TURNS[kind]] == [
            _said(example[key]) for key in _TURNS[kind]
        ]


@settings(max_examples=200)
@given(chats)
def test_a_schema_comes_back(example: Any) -> None:
    for tool in example.get("tools", []):
        theirs = translate(tool["function"].get("parameters", {})).schema

        assert translate(restore(theirs)).schema == theirs


_TURNS = {
    DatasetKind.CHAT: ("messages",),
    DatasetKind.PREFERENCE: ("prompt", "chosen", "rejected"),
}


def _has_equal_answers(found: Any) -> bool:
    """Whether Google cannot tell a preference's answers apart, which every intake refuses."""
    answers = [one["completion"] for one in json.loads(found.data).get("completions", [])]
    return bool(answers) and answers[0] == answers[1]


def _googles(found: Any) -> Any:
    """A compiled line; a schema that says nothing is none."""
    assert found.errors == []
    line = json.loads(found.data)
    for tool in line.get("tools", []):
        for declared in tool["functionDeclarations"]:
            if declared.get("parameters") == {}:
                del declared["parameters"]
    return line


def _said(messages: Any) -> Any:
    """What messages mean to Google: instructions as one, calls by name and not by id."""
    turns = list(_turns(messages))
    system = [part for role, parts, _ in turns if role == "system" for part in parts]
    return [system, *(turn for turn in turns if turn[0] != "system")]


def _turns(messages: Any) -> Iterator[Any]:
    names: dict[str, str] = {}
    for message in messages:
        role = {"developer": "system"}.get(message["role"], message["role"])
        parts = list(_parts(message.get("content")))
        calls = message.get("tool_calls") or []
        if role == "tool":
            text = "".join(part["text"] for part in parts)
            yield role, result_part(names[message["tool_call_id"]], text), []
        else:
            yield role, parts, [_call(call["function"]) for call in calls]
        names |= {call["id"]: call["function"]["name"] for call in calls}


def _parts(content: Any) -> Iterator[Any]:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    return (part for part in parts if part.get("text") != "")


def _call(function: Any) -> Any:
    return function["name"], json.loads(function["arguments"] or "{}")
