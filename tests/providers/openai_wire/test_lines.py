"""Our typed lines say what OpenAI's published schema says, over whatever comes."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.providers.openai_wire.lines import complaint
from tests.contracts import CONTRACTS

SCHEMA = json.loads(
    files("app.providers.openai_wire").joinpath("line.schema.json").read_text(encoding="utf-8")
)
PUBLISHED = CONTRACTS / "openai.finetune-dataset.schema.json"
NAMES = {
    "sft": "FineTuneChatRequestInput",
    "dpo": "FineTunePreferenceRequestInput",
    "rft": "FineTuneReinforcementRequestInput",
}
VALIDATORS = {
    method: Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})
    for method, name in NAMES.items()
}

text = st.sampled_from(["", "a", "Grüße"])
odd = st.sampled_from([None, 0, True, [], {}, "x"])
image = st.fixed_dictionaries(
    {}, optional={"url": text | odd, "detail": st.sampled_from(["auto", "low", "huge", None])}
)
audio = st.fixed_dictionaries(
    {}, optional={"data": text | odd, "format": st.sampled_from(["wav", "mp3", "ogg"])}
)
part = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "refusal", "image_url", "input_audio", "file", "odd"]),
        "text": text | odd,
        "refusal": text | odd,
        "image_url": image | odd,
        "input_audio": audio | odd,
        "file": st.fixed_dictionaries({}, optional={"file_id": text | odd}) | odd,
        "more": odd,
    },
)
content = text | st.lists(part, max_size=3) | odd
function = st.fixed_dictionaries(
    {},
    optional={
        "name": text | odd,
        "description": text | odd,
        "parameters": st.just({"type": "object"}) | odd,
        "strict": st.sampled_from([True, False, None, 1]),
    },
)
tool = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["function", "retrieval"]), "function": function | odd}
)
call = st.fixed_dictionaries(
    {},
    optional={
        "id": text | odd,
        "type": st.sampled_from(["function", "custom"]),
        "function": st.fixed_dictionaries(
            {}, optional={"name": text | odd, "arguments": text | odd}
        ),
    },
)
role = st.sampled_from(["system", "developer", "user", "assistant", "tool", "other"])
message = st.fixed_dictionaries(
    {},
    optional={
        "role": role,
        "content": content,
        "name": text | odd,
        "refusal": text | odd,
        "weight": st.sampled_from([0, 1, 2, None, "1", True]),
        "tool_calls": st.lists(call, max_size=2) | odd,
        "tool_call_id": text | odd,
    },
)
messages = st.lists(message, max_size=3)
extras = {"tools": st.lists(tool, max_size=2) | odd, "parallel_tool_calls": st.booleans() | odd}
conversation = st.fixed_dictionaries({"messages": messages}, optional=extras)
answer = st.lists(message, max_size=2)
lines = {
    "sft": conversation,
    "dpo": st.fixed_dictionaries(
        {"input": conversation, "preferred_output": answer, "non_preferred_output": answer}
    ),
    "rft": conversation,
}


@pytest.mark.parametrize("method", NAMES)
@given(data=st.data())
@settings(max_examples=300)
def test_the_verdict_is_that_of_the_published_schema(method: str, data: st.DataObject) -> None:
    line = data.draw(lines[method])

    ours = complaint(json.dumps(line).encode(), method)

    assert (ours is None) == _is_valid(line, method), ours


PART: dict[str, Any] = {"type": "text", "text": "a"}
CALL: dict[str, Any] = {"type": "function", "id": "1", "function": {"name": "f", "arguments": ""}}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f"}}
REPLY: dict[str, Any] = {"role": "assistant", "content": [PART], "tool_calls": [CALL]}
ASKED: dict[str, Any] = {"role": "user", "content": [PART]}
RESULT: dict[str, Any] = {"role": "tool", "content": [PART], "tool_call_id": "1"}
WHOLE: dict[str, Any] = {
    "sft": {"messages": [{"role": "system", "content": [PART]}, ASKED, REPLY], "tools": [TOOL]},
    "dpo": {
        "input": {"messages": [ASKED, REPLY, RESULT], "tools": [TOOL]},
        "preferred_output": [REPLY],
        "non_preferred_output": [REPLY],
    },
    "rft": {"messages": [{"role": "developer", "content": [PART]}, ASKED], "tools": [TOOL]},
}


@pytest.mark.parametrize("method", NAMES)
def test_whatever_is_left_out_the_verdict_is_the_same(method: str) -> None:
    whole = WHOLE[method]
    assert complaint(json.dumps(whole).encode(), method) is None

    for line in _with_one_key_less(whole):
        ours = complaint(json.dumps(line).encode(), method)
        assert (ours is None) == _is_valid(line, method), line


# What the published schema lets be left out all the same, though nothing is learned without it.
NEEDED = {"messages", "input", "preferred_output", "non_preferred_output"}


def _with_one_key_less(value: Any) -> Iterator[Any]:
    """Everything that is the value but for one key, somewhere in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in [*inner]:
        if isinstance(value, dict) and key not in NEEDED:
            yield {other: kept for other, kept in value.items() if other != key}
        if isinstance(below, dict | list):
            for less in _with_one_key_less(below):
                copy: Any = value.copy()
                copy[key] = less
                yield copy


def test_the_packaged_schema_is_the_published_one() -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published schema does not lie beside the repository")

    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == SCHEMA


def _is_valid(line: Any, method: str) -> bool:
    return VALIDATORS[method].is_valid(line)
