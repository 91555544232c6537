"""Reading a multipart form while it streams in: fields by name, and the file piece by piece."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.domain.errors import Invalid

MAX_FIELD_BYTES = 64 * 1024


class Form:
    """A multipart form under way.

    After `find_file` the fields that stand before the file are there; once `file_pieces` was read
    to its end `fields` is complete.
    """

    def __init__(self, request: Request, *, file_field: str) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Invalid("Send multipart/form-data with a file, or application/json.")
        self.fields: dict[str, str] = {}
        self.late_fields: list[str] = []
        """The fields that stand after the file."""
        self.filename: str | None = None
        self.has_file = False
        self._chunks = request.stream()
        self._file_field = file_field
        self._pieces: list[bytes] = []
        self._header = b""
        self._headers: dict[bytes, bytes] = {}
        self._field: str | None = None
        self._value = b""
        self._is_whole = False
        self._parser = MultipartParser(boundary, self._callbacks())

    async def find_file(self) -> None:
        """Read on to where the file begins; raises `Invalid` for a form that is broken."""
        async for chunk in self._chunks:
            self._feed(chunk)
            if self.has_file:
                return

    async def file_pieces(self) -> AsyncIterator[bytes]:
        """The file's bytes as they come; raises `Invalid` for a form that is broken or cut off."""
        for piece in self._take_pieces():
            yield piece
        async for chunk in self._chunks:
            self._feed(chunk)
            for piece in self._take_pieces():
                yield piece
        if not self._is_whole:
            raise Invalid("The form was cut off before its end; send it again.")
        if not self.has_file:
            raise Invalid(f"The form has no file: send it in the field `{self._file_field}`.")

    def _take_pieces(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _feed(self, chunk: bytes) -> None:
        if not chunk:
            return
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Invalid(f"The form is not multipart/form-data: {error}.") from error

    def _callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        self._headers, self._header, self._value, self._field = {}, b"", b"", None

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        name = self._header.lower()
        self._headers[name] = self._headers.get(name, b"") + data[start:end]

    def _end_header(self) -> None:
        self._header = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field = options.get(b"name", b"").decode(errors="replace")
        if self._field == self._file_field:
            if self.has_file:
                raise Invalid("The form has two files; send one at a time.")
            self.has_file = True
            self.filename = options.get(b"filename", b"").decode(errors="replace") or None

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._field == self._file_field:
            self._pieces.append(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD_BYTES:
            raise Invalid(f"The field `{self._field}` is too long.")

    def _end_part(self) -> None:
        if self._field != self._file_field:
            self.fields[self._field or ""] = self._value.decode(errors="replace")
            if self.has_file:
                self.late_fields.append(self._field or "")

    def _end(self) -> None:
        self._is_whole = True
