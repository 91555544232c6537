"""Good files: the same rows in every container, packed or not, cut anywhere, are the same."""

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import DatasetInvalid
from app.domain.intake import Reading
from app.domain.reading.arrays import ArrayReader
from app.domain.reading.columns import Columns
from app.domain.reading.rows import Container
from tests.data.bad_files import zstd
from tests.datasets_in.reading import take_in

Json = dict[str, Any]

ROWS: list[Json] = [
    {"prompt": 'say "hi",\tthen\nstop', "completion": "café ; {[\\"},
    {"prompt": "line\u2028end", "completion": "\x85 \r\n x", "system": "s"},
]
TALK: Json = {
    "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
    "tools": [{"type": "function", "function": {"name": "f"}}],
}


def lines(rows: list[Json]) -> bytes:
    """JSON Lines."""
    return b"\n".join(json.dumps(row).encode() for row in rows)


def table(rows: list[Json], **how: Any) -> bytes:
    """CSV as Python writes it."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, **how)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet(rows: list[Json]) -> bytes:
    """Parquet as pyarrow writes it."""
    names = dict.fromkeys(name for row in rows for name in row)
    rows = [{name: row.get(name) for name in names} for row in rows]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file, row_group_size=1)
    return file.getvalue()


FILES = {
    "JSON Lines": lines(ROWS),
    "CRLF and a byte order mark": b"\xef\xbb\xbf" + lines(ROWS).replace(b"\n", b"\r\n"),
    "JSON": json.dumps(ROWS).encode(),
    "pretty JSON": b"\xef\xbb\xbf\n" + json.dumps(ROWS, indent=4, ensure_ascii=False).encode(),
    "CSV": table(ROWS),
    "CSV of Excel": b"\xef\xbb\xbf" + table(ROWS, delimiter=";", quoting=csv.QUOTE_ALL),
    "CSV with an empty column": table([{"": "", **row, "tools": ""} for row in ROWS]),
    "TSV": table(ROWS, dialect="excel-tab", lineterminator="\n"),
    "Parquet": parquet(ROWS),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip in two parts": lambda file: gzip.compress(file[:9]) + gzip.compress(file[9:]),
    "zstd": zstd.compress,
    "zstd in two parts": lambda file: zstd.compress(file[:9]) + zstd.compress(file[9:]),
}
WANTED = take_in([FILES["JSON Lines"]]).kept


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [1, 1000])
def test_the_same_rows_are_kept_the_same(name: str, packing: str, size: int) -> None:
    content = PACKINGS[packing](FILES[name])
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    assert take_in(pieces).kept == WANTED


def test_conversations_may_stand_in_a_table_as_json() -> None:
    cells = {name: json.dumps(value) for name, value in TALK.items()}
    assert take_in([table([cells])]).kept == take_in([lines([TALK])]).kept


def test_conversations_may_stand_in_parquet_as_lists() -> None:
    plain = {"messages": [turn | {"weight": None} for turn in TALK["messages"]]}
    assert take_in([parquet([plain])]).kept == take_in([lines([plain])]).kept


def test_conversations_may_stand_in_parquet_as_json() -> None:
    cells = {name: json.dumps(value) for name, value in TALK.items()}
    assert take_in([parquet([cells])]).kept == take_in([lines([TALK])]).kept
    with pytest.raises(DatasetInvalid) as refused:
        take_in([parquet([cells, cells | {"messages": "hello"}])])
    assert [(fault.line, fault.code) for fault in refused.value.faults] == [(2, "cell_not_json")]


def test_columns_are_named_and_left_out_in_every_container() -> None:
    rows = [{"id": 1, "question": "a", "answer": "b"}]
    reading = Reading(columns=Columns({"question": "prompt", "answer": "completion", "id": None}))
    for content in (lines(rows), json.dumps(rows).encode(), table(rows), parquet(rows)):
        assert json.loads(take_in([content], reading).kept)["messages"][0]["content"] == "a"


@pytest.mark.parametrize(
    ("container", "content"),
    [
        (Container.CSV, b"prompt,completion\na,b"),
        (Container.TSV, b"prompt\tcompletion\na\tb"),
        (Container.JSON, b'[{"prompt": "a", "completion": "b"}]'),
        (Container.JSONL, b'{"prompt": "a", "completion": "b"}'),
    ],
)
def test_a_container_may_be_named(container: Container, content: bytes) -> None:
    assert take_in([content], Reading(container)).intake.examples == 1


def test_bytes_in_parquet_are_text() -> None:
    rows: list[Json] = [{"prompt": b"caf\xc3\xa9", "completion": b"b"}]
    assert "café".encode() in take_in([parquet(rows)]).kept
    for wrong in ({"prompt": b"\xff", "completion": b"b"}, {"messages": [{"content": b"a"}]}):
        with pytest.raises(DatasetInvalid) as refused:
            take_in([parquet([wrong])])
        assert [fault.code for fault in refused.value.faults] == ["parquet_broken"]


def test_a_damaged_parquet_file_is_refused() -> None:
    content = FILES["Parquet"]
    for wrong in (content[:40], content[:-20] + b"\xff" * 16 + content[-4:]):
        with pytest.raises(DatasetInvalid) as refused:
            take_in([wrong], Reading(is_skipping=True))
        assert [fault.code for fault in refused.value.faults] == ["parquet_broken"]


def test_without_pyarrow_parquet_is_refused_with_what_to_install() -> None:
    program = (
        "import io, sys; sys.modules['pyarrow'] = None\n"
        "from app.domain.errors import FormatUnavailable\n"
        "from app.domain.reading.columns import Columns\n"
        "from app.domain.reading.parquet import read_parquet\n"
        "try: list(read_parquet(io.BytesIO(), Columns()))\n"
        "except FormatUnavailable as error: print(error.detail)\n"
    )
    told = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert "pip install 'luthier[parquet]'" in told


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.lists(values, max_size=6), st.sampled_from([None, 2]), st.booleans(), st.integers(1, 50))
def test_a_list_is_cut_where_json_cuts_it(
    elements: list[Any], indent: int | None, is_ascii: bool, size: int
) -> None:
    content = json.dumps(elements, indent=indent, ensure_ascii=is_ascii).encode(
        errors="surrogatepass"
    )
    reader = ArrayReader()
    found = [
        row
        for start in range(0, len(content), size)
        for row in reader.feed(content[start : start + size])
    ]
    found += reader.finish()
    assert [json.loads(row.data) for row in found] == elements
    assert [row.line for row in found] == list(range(1, len(elements) + 1))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(
    st.lists(st.tuples(texts.filter(str.strip), texts.filter(str.strip)), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 50),
)
def test_a_table_is_read_as_it_was_written(
    pairs: list[tuple[str, str]], delimiter: str, line_end: str, size: int
) -> None:
    rows: list[Json] = [{"prompt": prompt, "completion": answer} for prompt, answer in pairs]
    content = table(rows, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    assert take_in(pieces).kept == take_in([lines(rows)]).kept
