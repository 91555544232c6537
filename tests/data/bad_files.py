"""Bad files, each with one distinct fault, and the lines and codes that must be named."""

import gzip
import json
import sys
from typing import Any, NamedTuple

from app.domain.examples import MAX_LINE_BYTES
from app.domain.intake import Reading
from app.domain.reading.columns import Columns
from app.domain.reading.rows import Container

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Json = dict[str, Any]

GOOD = b'{"prompt": "a", "completion": "b"}'
ASK: Json = {"role": "user", "content": "a"}
REPLY: Json = {"role": "assistant", "content": "b"}
OTHER: Json = {"role": "assistant", "content": "c"}
CALL: Json = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
DEEP = b"[" * 100 + b"]" * 100


class BadFile(NamedTuple):
    """A file and what must be said about it."""

    name: str
    content: bytes
    faults: list[tuple[int | None, str]]
    reading: Reading = Reading()


def second(name: str, line: bytes, code: str) -> BadFile:
    """Three lines of JSON, of which the second is wrong."""
    return BadFile(name, b"\n".join([GOOD, line, GOOD]) + b"\n", [(2, code)])


def row(name: str, value: Any, code: str) -> BadFile:
    """The same, where the line can be written by a program that writes JSON."""
    return second(name, json.dumps(value).encode(), code)


def chat(name: str, code: str, *messages: Json, **more: Any) -> BadFile:
    """The same, where a conversation is wrong."""
    return row(name, {"messages": list(messages), **more}, code)


def table(
    name: str, content: bytes, *faults: tuple[int | None, str], **columns: str | None
) -> BadFile:
    """A CSV file."""
    return BadFile(name, content, list(faults), Reading(columns=Columns(columns)))


LINES = [
    second("text instead of JSON", b"nonsense", "not_json"),
    second("a line cut off", GOOD[:-5], "not_json"),
    second("a comma too many", b'{"prompt": "a", "completion": "b",}', "not_json"),
    second("single quotes", b"{'prompt': 'a', 'completion': 'b'}", "not_json"),
    second("two rows on one line", GOOD + GOOD, "not_json"),
    second("a comment", b"// a row", "not_json"),
    second("a bad escape", rb'{"prompt": "\x41", "completion": "b"}', "not_json"),
    second("a number with a leading zero", b'{"prompt": 01, "completion": "b"}', "not_json"),
    second("a byte order mark inside the file", b"\xef\xbb\xbf" + GOOD, "not_json"),
    second("Latin-1", b'{"prompt": "caf\xe9", "completion": "b"}', "not_utf8"),
    second("an encoded surrogate", b'{"prompt": "\xed\xa0\x80", "completion": "b"}', "not_utf8"),
    second("an overlong encoding", b'{"prompt": "\xc0\xaf", "completion": "b"}', "not_utf8"),
    second("NaN", b'{"prompt": NaN, "completion": "b"}', "not_finite"),
    second("Infinity", b'{"messages": [{"role": "user", "content": -Infinity}]}', "not_finite"),
    second("a high surrogate alone", rb'{"prompt": "\ud800", "completion": "b"}', "lone_surrogate"),
    second("a low surrogate alone", rb'{"prompt": "x\udc00", "completion": "b"}', "lone_surrogate"),
    second("surrogates the wrong way round", rb'{"prompt": "\udc00\ud800"}', "lone_surrogate"),
    second("a raw tab", b'{"prompt": "a\tb", "completion": "b"}', "control_character"),
    second("a raw NUL", b'{"prompt": "a\0", "completion": "b"}', "control_character"),
    second("an escaped NUL", rb'{"prompt": "a\u0000", "completion": "b"}', "text_nul"),
    second("NUL after a backslash", rb'{"prompt": "\\\u0000", "completion": "b"}', "text_nul"),
    second("a huge float", b'{"prompt": 1e999, "completion": "b"}', "number_out_of_range"),
    second("a huge integer", b'{"prompt": ' + b"9" * 5000 + b"}", "number_out_of_range"),
    second("a key twice", b'{"prompt": "a", "prompt": "c", "completion": "b"}', "key_repeated"),
    second(
        "a key twice inside a message",
        b'{"messages": [{"role": "user", "content": "x", "content": "a"}, '
        b'{"role": "assistant", "content": "b"}]}',
        "key_repeated",
    ),
    second(
        "a key twice with spaces before the colon",
        b'{"prompt" : "a", "prompt" : "c", "completion" : "b"}',
        "key_repeated",
    ),
    second(
        "a key twice, once with an escape",
        rb'{"prompt": "a", "\u0070rompt": "\u0022", "completion": "b"}',
        "key_repeated",
    ),
    second("a row without end of nesting", b'{"prompt": ' + b"[" * 100_000, "row_too_deep"),
    second(
        "tools nested too deeply",
        b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], '
        b'"tools": [{"type": "function", "x": ' + DEEP + b"}]}",
        "row_too_deep",
    ),
    second(
        "a part of a message nested too deeply",
        b'{"messages": [{"role": "user", "content": [{"x": ' + DEEP + b"}]}, "
        b'{"role": "assistant", "content": "b"}]}',
        "row_too_deep",
    ),
    second("a line that is too long", b'{"prompt": "' + b"x" * MAX_LINE_BYTES, "line_too_long"),
    row("a number", 7, "row_not_object"),
    row("a list", [1], "row_not_object"),
    row("no keys", {}, "row_keys"),
    row("unknown keys", {"question": "a", "answer": "b"}, "row_keys"),
    row("a thousand unknown keys", {f"k{n}": n for n in range(1000)}, "row_keys"),
    row("a prompt alone", {"prompt": "a"}, "row_shape"),
    row("a completion that is a number", {"prompt": "a", "completion": 1}, "row_shape"),
    row("a key that would be lost", {"prompt": "a", "completion": "b", "id": 1}, "row_shape"),
    row("an empty prompt", {"prompt": " ", "completion": "b"}, "content_empty"),
    row("an empty completion", {"prompt": "a", "completion": ""}, "completion_empty"),
    row("an instruction alone", {"instruction": "a"}, "row_shape"),
    row("an empty instruction", {"instruction": "", "output": "b"}, "content_empty"),
    chat("no messages", "messages_empty"),
    chat("no answer", "role_order", ASK),
    chat("no question", "role_order", REPLY),
    chat("a role that nobody has", "row_shape", {"role": "robot", "content": "a"}, REPLY),
    chat("an unknown key in a message", "row_shape", ASK | {"mood": "good"}, REPLY),
    chat("a weight of two", "row_shape", ASK, REPLY | {"weight": 2}),
    chat("a weight for the user", "weight_role", ASK | {"weight": 1}, REPLY),
    chat("weights that leave nothing", "weight_zero", ASK, REPLY | {"weight": 0}),
    chat("a silent assistant", "completion_empty", ASK, {"role": "assistant"}),
    chat("a user who calls tools", "tool_calls_role", ASK | {"tool_calls": [CALL]}, REPLY),
    chat("a tool without its call", "tool_call_id", ASK, {"role": "tool", "content": "x"}, REPLY),
    row("equal answers", {"prompt": "a", "chosen": "b", "rejected": "b"}, "preference_equal"),
    row("a preference among chats", {"prompt": "a", "chosen": "b", "rejected": "c"}, "kind_mixed"),
    row("a chosen user", {"prompt": [ASK], "chosen": [ASK], "rejected": [REPLY]}, "role_order"),
    row(
        "OpenAI's preference with one answer",
        {"input": {"messages": [ASK]}, "preferred_output": [REPLY]},
        "row_shape",
    ),
    row(
        "OpenAI's preference with three answers",
        {
            "input": {"messages": [ASK]},
            "preferred_output": [REPLY],
            "preferred_completion": [REPLY],
            "non_preferred_output": [OTHER],
        },
        "row_shape",
    ),
    row("a stranger", {"conversations": [{"from": "cat", "value": "miaow"}]}, "sender_unknown"),
    row("a turn without a sender", {"conversations": [{"value": "a"}]}, "row_shape"),
    row(
        "a call that is no JSON",
        {"conversations": [{"from": "function_call", "value": "look()"}]},
        "cell_not_json",
    ),
    row(
        "a call without a name",
        {"conversations": [{"from": "function_call", "value": "{}"}]},
        "row_shape",
    ),
    chat("an answer of a function without its call", "tool_call_id", ASK,
         REPLY | {"function_call": None}, {"role": "function", "name": "f", "content": "x"}, REPLY),
    chat("an answer of another function", "tool_call_id", ASK,
         {"role": "assistant", "function_call": CALL["function"]},
         {"role": "function", "name": "g", "content": "x"}, REPLY),
    chat("a call in both ways", "row_shape", ASK,
         REPLY | {"tool_calls": [CALL], "function_call": CALL["function"]}),
    chat("functions and tools", "row_shape", ASK, REPLY, tools=[], functions=[]),
    chat("a function call without arguments", "row_shape", ASK,
         {"role": "assistant", "function_call": {"name": "f"}}),
    row("messages as prompt and a text as completion",
        {"prompt": [ASK], "completion": "b"}, "row_shape"),
    row("a prompt of messages without an answer",
        {"prompt": [ASK], "completion": [ASK]}, "role_order"),
    row("history that is no pairs",
        {"instruction": "a", "output": "b", "history": ["a", "b"]}, "row_shape"),
    row("a chosen text beside turns",
        {"conversations": [{"from": "human", "value": "a"}], "chosen": "b", "rejected": "c"},
        "row_shape"),
    row("a stranger who is chosen",
        {"conversations": [{"from": "human", "value": "a"}],
         "chosen": {"from": "cat", "value": "b"}, "rejected": {"from": "gpt", "value": "c"}},
        "sender_unknown"),
    row("tools that are no JSON", {"conversations": [], "tools": "look"}, "cell_not_json"),
    BadFile(
        "two columns of one meaning",
        b'{"prompt": "a", "question": "a", "completion": "b"}',
        [(1, "columns_clash")],
        Reading(columns=Columns({"question": "prompt"})),
    ),
    BadFile("blank lines count", b"\n\n" + GOOD + b"\r\n\r\n7\r\n", [(5, "row_not_object")]),
]  # fmt: skip

ENCODINGS = [
    BadFile("UTF-16 with its mark", GOOD.decode().encode("utf-16"), [(1, "not_utf8")]),
    BadFile("UTF-16 without its mark", GOOD.decode().encode("utf-16-le"), [(1, "not_utf8")]),
    BadFile("UTF-16, big end first", GOOD.decode().encode("utf-16-be"), [(1, "not_utf8")]),
    BadFile("UTF-32", GOOD.decode().encode("utf-32"), [(1, "not_utf8")]),
    BadFile("a picture", b"\x89PNG\r\n\x1a\n", [(1, "not_utf8"), (2, "not_json")]),
]

ARRAYS = [
    BadFile("a wrong element", b"[" + GOOD + b",\n7]", [(2, "row_not_object")]),
    BadFile("a comma at the end of the list", b"[" + GOOD + b",]", [(2, "not_json")]),
    BadFile("two commas", b"[" + GOOD + b",," + GOOD + b"]", [(2, "not_json")]),
    BadFile("no comma", b"[" + GOOD + GOOD + b"]", [(1, "not_json")]),
    BadFile("a list that is cut off", b"[" + GOOD + b"," + GOOD[:9], [(2, "json_array")]),
    BadFile("a list that is not closed", b"[" + GOOD, [(1, "json_array")]),
    BadFile("more after the list", b"[" + GOOD + b"]\n" + GOOD, [(None, "json_array")]),
    BadFile("a bracket too many", b"[" + GOOD + b"}]", [(1, "json_array")]),
    BadFile("a bracket too few", b'[{"prompt": {"a": 1, "completion": "b"}]', [(1, "json_array")]),
    BadFile("brackets without end", b"[" * 100_000, [(1, "json_array")]),
    BadFile("an object instead of a list", GOOD, [(1, "json_array")], Reading(Container.JSON)),
    BadFile(
        "an element that is too long",
        b'[{"prompt": "' + b"x" * MAX_LINE_BYTES + b'"},' + GOOD + b"]",
        [(1, "line_too_long")],
    ),
]

_LONG = (b"x" * 1000 + b"\n") * 9000

TABLES = [
    table("no header", b"What is it?,A cat\n", (1, "csv_header")),
    table("an unknown header", b"question,answer\na,b\n", (1, "csv_header")),
    table("a column twice", b"prompt,prompt,completion\na,b,c\n", (1, "csv_header")),
    table("a header with an open quote", b'"prompt,completion\na,b\n', (1, "csv_record_open")),
    table("a header that is no CSV", b'"prompt"x,completion\na,b\n', (1, "csv_header")),
    table("too many columns", b"prompt," + b"x," * 2000 + b"y\n", (1, "csv_header")),
    table("two columns mapped to one", b"a,b\nx,y\n", (1, "csv_header"), a="prompt", b="prompt"),
    table("a cell too many", b"prompt,completion\na,b\na,b,c\n", (3, "csv_ragged")),
    table("a cell too few", b"prompt,completion\na\na,b\n", (2, "csv_ragged")),
    table("a very wide row", b"prompt,completion\n" + b"x," * 99_999, (2, "csv_ragged")),
    table("a quote never closed", b'prompt,completion\na,b\na,"b\na,b\n', (3, "csv_record_open")),
    table("text after a quote", b'prompt,completion\n"a"x,b\na,b\n', (2, "csv_record")),
    table("a fault after three lines", b'prompt,completion\n"a\n\na",b\na\n', (5, "csv_ragged")),
    table("a cell too far", b"prompt,completion,\na,b,\na,b,c\n", (3, "csv_column_unnamed")),
    table("an empty column", b"prompt,completion\n,b\n", (2, "content_empty")),
    table("an empty answer", b"prompt,completion\na,\n", (2, "completion_empty")),
    table("no column for the answer", b"prompt,system\na,b\n", (2, "row_shape")),
    table("a column that would be lost", b"prompt,completion,id\na,b,1\n", (2, "row_shape")),
    table("answers that are no JSON beside turns",
          b'conversations,chosen,rejected\n"[]",b,c\n', (2, "cell_not_json")),
    table("messages that are no JSON", b"messages,tools\nhello,\n", (2, "cell_not_json")),
    table("a cell in Latin-1", b"prompt,completion\na,b\ncaf\xe9,b\n", (3, "not_utf8")),
    table("JSON Lines named CSV", b'messages,x\n{"messages": []},,\n', (2, "csv_ragged")),
    table("a NUL in a cell", b"prompt,completion\na\0,b\n", (2, "text_nul")),
    table("line ends of an old Mac", b"prompt,completion\ra,b\rc,d\r", (1, "csv_header")),
    table("a TSV record that is ragged", b"prompt\tcompletion\na,b\n", (2, "csv_ragged")),
    table("a record too long", b'prompt,completion\n"' + _LONG, (2, "csv_record_open")),
]  # fmt: skip

_PACKED = gzip.compress(GOOD, mtime=0)
_FRAME = zstd.compress(GOOD)
_BOMB = b'{"prompt": "' + b"a" * 32 * 1024 * 1024

PACKED = [
    BadFile("gzip of a bad row", gzip.compress(GOOD + b"\n7"), [(2, "row_not_object")]),
    BadFile("gzip that is cut off", _PACKED[:-9], [(None, "packed_cut_off")]),
    BadFile("gzip with a wrong sum", _PACKED[:-8] + b"\0" * 8, [(None, "packed_broken")]),
    BadFile("gzip that is damaged", _PACKED[:10] + b"\xff" * 9, [(None, "packed_broken")]),
    BadFile("more after gzip", _PACKED + b"more", [(None, "packed_trailing")]),
    BadFile("gzip that is cut off in its second part", _PACKED * 2 + _PACKED[:9], [
        (None, "packed_cut_off")
    ]),
    BadFile("gzip that expands without end", gzip.compress(_BOMB), [(None, "expands_too_much")]),
    BadFile("gzip inside gzip", gzip.compress(gzip.compress(GOOD, mtime=0)), [(1, "not_utf8")]),
    BadFile("zstd of a bad row", zstd.compress(b"[7]"), [(1, "row_not_object")]),
    BadFile("zstd that is cut off", _FRAME[:-3], [(None, "packed_cut_off")]),
    BadFile("zstd that is damaged", _FRAME[:6] + b"\xff" * 9, [(None, "packed_broken")]),
    BadFile("more after zstd", _FRAME + b"more", [(None, "packed_trailing")]),
    BadFile("zstd that expands without end", zstd.compress(_BOMB), [(None, "expands_too_much")]),
]  # fmt: skip

BAD_FILES = [*LINES, *ENCODINGS, *ARRAYS, *TABLES, *PACKED]
