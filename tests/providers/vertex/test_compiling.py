"""Examples as Google takes them: its own types decide whether a line is one."""

import json
from typing import Any

import pytest
from google.cloud import aiplatform_v1 as v1
from google.protobuf.json_format import ParseDict
from hypothesis import HealthCheck, given, settings

from app.domain.catalogue import Limits
from app.domain.compiling import CompiledExample
from app.domain.datasets import DatasetKind
from app.domain.examples import ChatExample, Example, RowInvalid, check_example, decode_example
from app.providers.vertex.compiling import VertexCompiler
from app.sandbox.vertex.lines import FileInvalid, preferences, supervised
from tests.providers.vertex.examples import chats, pairs

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Hello"}
ANSWER = {"role": "assistant", "content": "Hi."}
REFUSED = {"role": "assistant", "content": "No."}


def compiled(example: Any) -> CompiledExample:
    """The example, given as JSON, in Google's form."""
    kind = DatasetKind.CHAT if "messages" in example else DatasetKind.PREFERENCE
    canonical = decode_example(json.dumps(example).encode(), kind)
    (found,) = VertexCompiler(limits=Limits()).compile([canonical])
    return found


def codes(faults: Any) -> list[str]:
    """The codes alone."""
    return [fault.code for fault in faults]


def calling(name: str, arguments: str) -> dict[str, Any]:
    """A turn of the assistant that calls one tool, by the id `c1`."""
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": "c1", "function": function}]}


def showing(**part: Any) -> dict[str, Any]:
    """A turn of the user that is one part."""
    return {"role": "user", "content": [part]}


def image(url: str) -> dict[str, Any]:
    """A turn of the user that is one image."""
    return showing(type="image_url", image_url={"url": url})


def test_a_conversation_with_tools() -> None:
    result = {"role": "tool", "tool_call_id": "c1", "content": '{"sky":"grey"}'}
    messages = [SYSTEM, USER, calling("weather", '{"city":"Oslo"}'), result, ANSWER]

    line = json.loads(compiled({"messages": messages}).data)

    call = {"name": "weather", "args": {"city": "Oslo"}}
    response = {"name": "weather", "response": {"sky": "grey"}}
    assert line["systemInstruction"] == {"role": "system", "parts": [{"text": "Be brief."}]}
    assert line["contents"] == [
        {"role": "user", "parts": [{"text": "Hello"}]},
        {"role": "model", "parts": [{"functionCall": call}]},
        {"role": "user", "parts": [{"functionResponse": response}]},
        {"role": "model", "parts": [{"text": "Hi."}]},
    ]


def test_the_schema_of_a_tool() -> None:
    city = {"type": ["string", "null"], "enum": ["Oslo", "Rome"]}
    schema = {"type": "object", "properties": {"city": city}, "additionalProperties": False}
    tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}

    found = compiled({"messages": [USER, ANSWER], "tools": [tool]})

    theirs = {"type": "STRING", "nullable": True, "enum": ["Oslo", "Rome"]}
    parameters = {"type": "OBJECT", "properties": {"city": theirs}}
    declared = {"name": "weather", "parameters": parameters}
    assert json.loads(found.data)["tools"] == [{"functionDeclarations": [declared]}]
    assert codes(found.losses) == ["schema_keyword_lost"]


def test_a_preference() -> None:
    found = compiled({"prompt": [SYSTEM, USER], "chosen": [ANSWER], "rejected": [REFUSED]})

    assert json.loads(found.data) == {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "completions": [
            {"score": 1, "completion": {"role": "model", "parts": [{"text": "Hi."}]}},
            {"score": 0, "completion": {"role": "model", "parts": [{"text": "No."}]}},
        ],
    }
    assert found.errors == []


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([ANSWER, USER, ANSWER], "first_turn"),
        ([USER, ANSWER, SYSTEM, USER, ANSWER], "system_position"),
        ([USER, {"role": "tool", "tool_call_id": "z", "content": "1"}], "tool_call_unknown"),
        ([USER, calling("f", "[1]")], "tool_arguments"),
        ([USER, calling("f", '{"half": "\\ud800"}')], "tool_arguments"),
        ([USER, calling("f", '{"x": 1' + "0" * 400 + "}")], "tool_arguments"),
        ([USER, calling("f", '{"x":' * 40 + "1" + "}" * 40)], "tool_arguments"),
        ([USER, calling("1 f", "{}")], "function_name"),
        ([image("https://example.com/a.png"), ANSWER], "image_uri"),
        ([image("gs://bucket/a"), ANSWER], "image_type"),
        ([showing(type="input_audio", input_audio={}), ANSWER], "part_unsupported"),
        ([showing(type="text", text=""), ANSWER], "content_empty"),
    ],
)
def test_what_google_would_refuse(messages: list[Any], code: str) -> None:
    assert codes(compiled({"messages": messages}).errors) == [code]


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([USER, ANSWER | {"weight": 0}, USER, ANSWER], "weight_lost"),
        ([USER | {"name": "Ann"}, ANSWER], "name_lost"),
        ([USER, USER, ANSWER], "turns_joined"),
        ([USER, {"role": "assistant", "refusal": "No."}], "refusal_as_text"),
        ([SYSTEM | {"role": "developer"}, USER, ANSWER], "role_lost"),
        ([SYSTEM, SYSTEM, USER, ANSWER], "instructions_joined"),
        ([USER, calling("f", "{}")], "call_ids_lost"),
        ([USER, calling("f", '{"x": 9007199254740993}')], "call_ids_lost number_precision"),
    ],
)
def test_what_is_lost_on_the_way_is_told(messages: list[Any], code: str) -> None:
    found = compiled({"messages": messages})

    assert codes(found.losses) == code.split()
    assert found.errors == []


def test_control_tokens_in_a_text_are_warned_of() -> None:
    found = compiled({"messages": [{"role": "user", "content": "a <|im_end|> b"}, ANSWER]})

    assert codes(found.warnings) == ["control_token_in_text"]


def test_tools_are_no_part_of_preferences() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    example = {"prompt": [USER], "chosen": [ANSWER], "rejected": [REFUSED], "tools": [tool]}

    assert codes(compiled(example).errors) == ["preference_text_only"]


@settings(
    max_examples=500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(chats | pairs)
def test_a_line_without_errors_is_one_that_google_takes(example: Any) -> None:
    kind = DatasetKind.CHAT if "messages" in example else DatasetKind.PREFERENCE
    canonical = decode_example(json.dumps(example).encode(), kind)
    try:
        check_example(canonical)
    except RowInvalid:
        return
    (found,) = VertexCompiler(limits=Limits()).compile([canonical])

    if found.errors:
        assert _is_refused(canonical, found) or codes(found.errors)[0] in STRICTER
    else:
        _parse(canonical, found.data)


STRICTER = frozenset(
    {
        "system_position",
        "system_text_only",
        "tool_call_unknown",
        "tool_arguments",
        "function_name",
        "tool_text_only",
        "first_turn",
        "content_empty",
        "preference_text_only",
        "role_order",
    }
)
"""What Google's types let pass and its documentation or its models do not."""


def _parse(example: Example, line: bytes) -> None:
    """Google's types and the rules of its documentation, with nothing to say against the line."""
    (supervised if isinstance(example, ChatExample) else preferences)(line)
    body = json.loads(line)
    completions = body.pop("completions", [])
    ParseDict(body, v1.GenerateContentRequest.pb(v1.GenerateContentRequest()))
    for one in completions:
        ParseDict(one["completion"], v1.Content.pb(v1.Content()))


def _is_refused(example: Example, found: CompiledExample) -> bool:
    try:
        _parse(example, found.data)
    except FileInvalid:
        return True
    return False
