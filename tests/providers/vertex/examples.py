"""Examples of every kind that the service takes, and some that it does not, for Hypothesis."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


def _call(name: str, arguments: str) -> Any:
    function = {"name": name, "arguments": arguments}
    return {"id": "a", "type": "function", "function": function}


def _user(content: Any) -> Any:
    return {"role": "user", "content": content}


def _answer(content: str) -> Any:
    return {"role": "assistant", "content": content}


def _exchange(parts: tuple[Any, Any, str]) -> Any:
    """A question, the call of a tool, its result, and the answer."""
    question, call, result = parts
    calling = {"role": "assistant", "tool_calls": [call]}
    told = {"role": "tool", "tool_call_id": call["id"], "content": result}
    return [question, calling, told, _answer("Done.")]


def _talk(has_system: bool, exchanges: list[list[Any]]) -> Any:
    system = [{"role": "system", "content": "Be brief."}] if has_system else []
    return [*system, *(turn for exchange in exchanges for turn in exchange)]


def _prompt(before: list[tuple[str, str]], last: str) -> Any:
    turns = [turn for asked, told in before for turn in (_user(asked), _answer(told))]
    return [*turns, _user(last)]


def _schema(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    properties = st.dictionaries(texts, inner, max_size=2)
    return st.fixed_dictionaries(
        {"type": types}, optional={"properties": properties, "items": inner}
    )


names = st.sampled_from(["f", "look_up", "a.b", "g", "h", "1 bad"])
texts = st.text(min_size=1, max_size=20).filter(lambda text: not text.isspace())
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
arguments = st.dictionaries(st.text(max_size=5), values, max_size=3).map(json.dumps) | texts
keywords = st.sampled_from(
    [
        "type",
        "enum",
        "items",
        "anyOf",
        "minimum",
        "minLength",
        "required",
        "properties",
        "title",
        "format",
        "nullable",
        "$ref",
        "$defs",
        "const",
        "pattern",
        "default",
    ]
)
types = st.sampled_from(["string", "object", "null", "strange", ["string", "null"]])
schemas = st.recursive(st.dictionaries(keywords, types | values, max_size=4), _schema, max_leaves=5)
tools = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": names}, optional={"parameters": schemas, "description": texts}
            ),
        }
    ),
    min_size=1,
    max_size=2,
)
parts = st.fixed_dictionaries({"type": st.just("text"), "text": st.text(max_size=5)}) | st.just(
    {"type": "image_url", "image_url": {"url": "gs://b/c.png", "detail": "low"}}
)
said = texts | st.lists(parts, min_size=1, max_size=3)
calls = st.builds(_call, names, arguments)
users = said.map(_user)
answers = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": texts},
    optional={
        "weight": st.sampled_from([0, 1]),
        "refusal": texts,
        "tool_calls": st.lists(calls, max_size=2),
    },
)
plain_answers = texts.map(_answer)
others = st.sampled_from(
    [
        {"role": "system", "content": "Be brief."},
        {"role": "tool", "tool_call_id": "a", "content": '{"x": 1}'},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
    ]
)
turns = st.lists(users | answers | others, min_size=1, max_size=5)
objects = st.dictionaries(st.text(max_size=5), values, max_size=3).map(json.dumps)
results = objects | texts
called = st.tuples(users, st.builds(_call, st.sampled_from(["f", "look_up"]), objects), results)
exchanges = called.map(_exchange) | st.tuples(users, plain_answers).map(list)
talks = st.builds(_talk, st.booleans(), st.lists(exchanges, min_size=1, max_size=3))
chats = st.fixed_dictionaries({"messages": talks | turns}, optional={"tools": tools})
prompts = st.builds(_prompt, st.lists(st.tuples(texts, texts), max_size=2), texts)
replies = st.lists(plain_answers | answers, min_size=1, max_size=2)
pairs = st.fixed_dictionaries(
    {"prompt": prompts | turns, "chosen": replies, "rejected": replies},
    optional={"tools": tools},
)
