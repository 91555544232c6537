"""A JSON array: its elements one by one, without ever holding the whole list.

Only brackets, commas and strings are looked at here, which is several times faster than a parser
that hands over every value; whether an element is good JSON is seen when it is decoded.
"""

import re
from collections.abc import Iterator

from app.domain.examples import MAX_LINE_BYTES, RowInvalid
from app.domain.reading.rows import RAW_KEPT, FileUnreadable, Row, too_long

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
# Possessive: a string that is not there yet must not make the search go back over what is.
_INSIDE = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+[{}\[\]]", re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"{}\[\],]++|' + _STRING + rb")*+[{}\[\],]", re.DOTALL)

_OPENING = (ord("["), ord("{"))


class ArrayReader:
    """Cuts at the commas of the outermost list; a row's line is its place in it, from 1."""

    def __init__(self) -> None:
        self._held = b""
        self._at = 0
        self._depth = 0
        self._number = 0
        self._wanted = 0
        self._is_closed = False

    def feed(self, piece: bytes) -> Iterator[Row]:
        """The elements that the piece completes."""
        self._held += piece
        if self._depth == 0 and not self._is_closed:
            self._open()
        # Looking again only when twice as much is there keeps a long string from costing its
        # length once for every piece of it.
        if self._depth and len(self._held) >= self._wanted:
            yield from self._cut()
            self._wanted = 2 * (len(self._held) - self._at)
        if self._is_closed:
            self._refuse_more()
        elif len(self._held) > 2 * MAX_LINE_BYTES:
            raise FileUnreadable("line_too_long", too_long().message, line=self._number + 1)

    def finish(self) -> Iterator[Row]:
        """Nothing, where the list was closed."""
        if self._depth:
            yield from self._cut()
        if not self._is_closed:
            raise FileUnreadable(
                "json_array",
                "The file ends before the list is closed with `]`; it was cut off, or this row "
                "lacks a bracket or a quote.",
                line=self._number + 1,
            )
        self._refuse_more()

    def _open(self) -> None:
        self._held = self._held.lstrip()
        if not self._held:
            return
        if not self._held.startswith(b"["):
            raise FileUnreadable("json_array", "A JSON file must be a list of rows: [...].", line=1)
        self._held, self._depth = self._held[1:], 1

    def _cut(self) -> Iterator[Row]:
        held, start, depth = self._held, 0, self._depth
        at = self._at
        while depth:
            found = (_BETWEEN if depth == 1 else _INSIDE).match(held, at)
            if found is None:
                break
            at = found.end()
            mark = held[at - 1]
            if mark in _OPENING:
                depth += 1
            elif mark == ord(","):
                yield self._element(held[start : at - 1])
                start = at
            else:
                depth -= 1
                if depth == 0:
                    yield from self._last(held[start : at - 1], mark)
                    start = at
        self._held, self._at, self._depth = held[start:], at - start, depth

    def _last(self, element: bytes, mark: int) -> Iterator[Row]:
        if mark != ord("]"):
            raise FileUnreadable(
                "json_array", "There is a `}` too many after this row.", line=self._number + 1
            )
        self._is_closed = True
        if self._number or element.strip():
            yield self._element(element)

    def _element(self, element: bytes) -> Row:
        self._number += 1
        element = element.strip()
        if len(element) > MAX_LINE_BYTES:
            return Row(self._number, element[:RAW_KEPT], too_long())
        if not element:
            missing = RowInvalid("not_json", "Nothing stands between two commas; remove one.")
            return Row(self._number, element, missing)
        return Row(self._number, element)

    def _refuse_more(self) -> None:
        self._held = self._held.lstrip()
        if self._held:
            raise FileUnreadable(
                "json_array", "Something follows the end of the list; a file holds one list."
            )
