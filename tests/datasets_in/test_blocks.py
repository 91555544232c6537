"""Many lines at once: never anything but what each line alone gives."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.examples import RowInvalid, encode_example, refuse_nul
from app.domain.reading.blocks import decode_chats
from app.domain.reading.forms import decode_row
from app.domain.reading.repeats import refuse_repeated_keys

CHAT = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
COMPACT = CHAT.replace(b": ", b":").replace(b", ", b",")

texts = st.one_of(
    st.text(max_size=4), st.sampled_from(["a", "\0", "\u2028", "\u3000", " \n", '": "', "\\u0000"])
)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool", "robot"])
turns = st.fixed_dictionaries(
    {"role": roles, "content": texts},
    optional={"weight": st.sampled_from([0, 1]), "name": texts, "mood": texts},
)
chats = st.fixed_dictionaries(
    {"messages": st.lists(turns, max_size=3)}, optional={"tools": st.just([{"a": ":"}])}
)


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    """Chats as several programs write them, most of them good, some lines doubled up."""
    good = json.loads(CHAT)
    rows: list[Any] = draw(st.lists(st.one_of(st.just(good), chats), min_size=1, max_size=4))
    separators = draw(st.sampled_from([(", ", ": "), (",", ":"), (",\t", " :")]))
    is_ascii = draw(st.booleans())
    ends = [draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "", " "])) for _ in rows]
    lines = [json.dumps(row, separators=separators, ensure_ascii=is_ascii) for row in rows]
    whole = "".join(line + end for line, end in zip(lines, ends, strict=True))
    return whole.encode(errors="surrogatepass")


def one_by_one(data: bytes) -> tuple[int, bytes] | None:
    """What the lines give when each is read alone; None where one is wrong."""
    kept = b""
    lines = data.removesuffix(b"\n").split(b"\n")
    for line in lines:
        try:
            encoded = encode_example(decode_row(line.strip())[1])
            refuse_nul(encoded)
            refuse_repeated_keys(line)
        except RowInvalid:
            return None
        kept += encoded + b"\n"
    return len(lines), kept


@given(blocks())
def test_a_block_gives_what_its_lines_give(data: bytes) -> None:
    assert decode_chats(data) in (None, one_by_one(data))


@pytest.mark.parametrize("line", [CHAT, COMPACT, CHAT.replace(b"\n", b"\r\n")])
def test_plain_chats_are_taken_in_together(line: bytes) -> None:
    assert decode_chats(line * 3) == (3, COMPACT * 3)


@pytest.mark.parametrize(
    "data",
    [
        CHAT.replace(b'"content": "a"', b'"content": "x", "content": "a"'),
        COMPACT.replace(b'"role":"user"', b'"role":"user","role":"user"'),
        CHAT.replace(b'"a"', b'"\\u003A"').replace(b'"b"', b'"x", "content": "b"'),
        CHAT.replace(b'{"messages"', b'{"messages": [], "messages"'),
        COMPACT.replace(b'"a"', b'"\\u0000"'),
        COMPACT.replace(b'"a"', b'"\\ud800"'),
        COMPACT.replace(b'"a"', b'"\xff"'),
        COMPACT.replace(b'"a"', b'"\\u3000 \\n"'),
        CHAT.removesuffix(b"\n") + CHAT + b"\n",
        CHAT.replace(b", {", b",\n{") + CHAT.removesuffix(b"\n") + CHAT,
        CHAT.replace(b"]}", b'], "tools": [\n{"messages": 1}]}').removesuffix(b"\n") + CHAT,
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_be_looked_at(data: bytes) -> None:
    assert decode_chats(CHAT + data) is None
