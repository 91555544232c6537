"""What passes over a simulator's counter: what was asked, what is replied, what is refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

JSON = "application/json"
FORM = "multipart/form-data"
EVENT_STREAM = "text/event-stream"
DONE = b"[DONE]"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file of a form."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, read to its end.

    `query` and `body` are nested: `metadata[run]=7` is `{"metadata": {"run": "7"}}`. `body` is a
    JSON value, the fields of a form, or None; `files` are those of the form, and `content` is a
    body that is neither.
    """

    method: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any = None
    files: Mapping[str, UploadedFile] = field(default_factory=dict[str, UploadedFile])
    content: bytes = b""

    @property
    def bearer(self) -> str:
        """The token that came as `Authorization: Bearer …`; empty where none did."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; `pieces` are what is sent one after the other, a line of a stream each."""

    pieces: Sequence[bytes]
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, value: Any, *, status: int = 200) -> "Reply":
        """The reply whose body is a JSON value."""
        return cls(pieces=[json.dumps(value, ensure_ascii=False).encode()], status=status)

    @classmethod
    def empty(cls, *, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        """The reply without a body."""
        return cls(pieces=[], status=status, media_type="text/plain", headers=headers or {})

    @property
    def body(self) -> bytes:
        """All pieces."""
        return b"".join(self.pieces)

    def values(self) -> list[Any]:
        """The JSON values in it: the body, or those of a stream's lines; none in other media."""
        if self.media_type == JSON:
            return [json.loads(self.body)]
        if self.media_type != EVENT_STREAM:
            return []
        data = [piece.removeprefix(b"data: ").strip() for piece in self.pieces]
        return [json.loads(line) for line in data if line != DONE]

    def response(self) -> Response:
        """What Starlette sends when nothing goes wrong."""
        return Response(self.body, self.status, self.headers, self.media_type)


class Refused(Exception):
    """The vendor says no; its own error shape is written around this."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
