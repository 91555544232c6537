"""Examples of every shape that is kept, from the plainest to the oddest."""

import json
from collections.abc import Sequence
from typing import Any, Literal

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
    check_example,
    encode_example,
)

ODD_TEXTS = [
    "007", "1e5", "null", "true", "NaN", "None", "-", "=1+1", "@SUM(A1)", "+49 30", "[]", "{}",
    '["a"]', '{"role": "user"}', '[{"role": "user", "content": "a"}]', '"', '""', "'", ",", ";",
    "\t", "a,b", "a;b", "a\tb", "a\nb", "a\r\nb", "a\rb", " a ", "\ufeffa", "\u2028", "\x85",
    "\x01", "\x1f", "\x7f", "\\", "\\n", "\\u0000", "é", "e\u0301", "🎻", "\U0010ffff", "PAR1",
    "prompt", "a\n\nb", "\n\n", "#", "--", "<|im_end|>", "messages",
]  # fmt: skip

any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
texts = st.sampled_from(ODD_TEXTS) | any_text
spoken = texts.filter(str.strip)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)  # fmt: skip
objects = st.dictionaries(texts, values, max_size=3)
parts = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), min_size=1)
weights: st.SearchStrategy[Literal[0, 1] | None] = st.sampled_from([None, None, 0, 1])
rarely = st.sampled_from([None] * 6 + ["x"])
tools = st.none() | st.lists(
    st.fixed_dictionaries({"type": st.just("function"), "function": objects}) | objects, max_size=2
)
flags = st.sampled_from([None, None, None, True, False])
arguments = texts | st.builds(json.dumps, objects) | st.just('{"at":"x"}')


@st.composite
def messages(draw: st.DrawFn, *, is_plain: bool = False) -> list[Message]:
    """A conversation; a plain one is texts by turns."""
    found = [Message("system", draw(spoken))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        found += Message("user", draw(spoken)), Message("assistant", draw(spoken))
    if is_plain:
        return found
    for _ in range(draw(st.integers(0, 3))):
        found.insert(draw(st.integers(0, len(found) - 1)), draw(odd_messages()))
    if draw(st.booleans()):
        at = len(found) - 1
        number = at - (found[0].role in ("system", "developer"))
        found[at:at] = draw(calls(draw(st.sampled_from([number, number, 7]))))
    return found


@st.composite
def odd_messages(draw: st.DrawFn) -> Message:
    """A message that few forms have a place for."""
    role: Any = draw(st.sampled_from(["system", "developer", "user", "assistant", "tool"]))
    return Message(
        role,
        draw(texts | parts | st.none()),
        name=draw(rarely),
        weight=draw(weights) if role == "assistant" else None,
        tool_calls=draw(st.sampled_from([None, None, []])),
        tool_call_id=draw(rarely) or ("x" if role == "tool" else None),
        refusal=draw(rarely),
    )


@st.composite
def calls(draw: st.DrawFn, number: int) -> list[Message]:
    """A call of a tool with its answer."""
    call = ToolCall(f"call_{number}", FunctionCall(draw(texts), draw(arguments)))
    calling = [call] * draw(st.sampled_from([1, 1, 1, 2]))
    answer = Message("tool", draw(texts | st.none()), tool_call_id=call.id, name=draw(rarely))
    asked = Message(
        "assistant",
        draw(st.sampled_from([None, None, "a"])),
        weight=draw(weights),
        tool_calls=calling,
    )
    return [asked, answer]


@st.composite
def answers(draw: st.DrawFn) -> list[Message]:
    """What a preference compares: mostly one text."""
    found = [Message("assistant", draw(spoken), weight=draw(weights), refusal=draw(rarely))]
    if draw(st.sampled_from([False] * 4 + [True])):
        found += [message for message in draw(calls(3)) if message.role == "assistant"]
    return found[-draw(st.integers(1, 2)) :]


chats = st.builds(ChatExample, messages(), tools, flags) | st.builds(
    ChatExample, messages(is_plain=True)
)
questions = st.builds(Message, st.just("user"), spoken).map(lambda message: [message])
replies = st.builds(Message, st.just("assistant"), spoken).map(lambda message: [message])
preferences = st.builds(
    PreferenceExample, messages() | questions, answers(), answers(), tools, flags
) | st.builds(PreferenceExample, questions, replies, replies)


def is_kept(example: Example) -> bool:
    """Whether an upload would keep the example."""
    try:
        check_example(example)
    except RowInvalid:
        return False
    return True


kinds = {
    DatasetKind.CHAT: chats.filter(is_kept),
    DatasetKind.PREFERENCE: preferences.filter(is_kept),
}


def lines_of(examples: Sequence[Example]) -> list[bytes]:
    """Canonical lines."""
    return [encode_example(example) for example in examples]
