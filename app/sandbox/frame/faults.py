"""Faults that can be ordered: what happens to a request instead of its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.sandbox.frame.connections import until_gone
from app.sandbox.frame.exchange import JSON, Refused, Reply


class Exchange(Protocol):
    """One request under way, as a fault sees it."""

    async def begin(self) -> None:
        """Read the first bytes of the body."""
        ...

    async def read(self) -> None:
        """Read the request to its end, without any effect."""
        ...

    async def reply(self) -> Reply:
        """Read the request, let it have its effect, and give what would be answered."""
        ...

    def refuse(self, refused: Refused) -> Reply:
        """A refusal in the vendor's shape."""
        ...

    def reset(self) -> None:
        """Break the connection."""
        ...


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Failure(_Fault):
    """An error status; with `after_effect`, what was asked for has happened all the same."""

    kind: Literal["failure"] = "failure"
    status: int = Field(default=500, ge=400, le=599)
    message: str = "The server had an error while processing your request. Sorry about that!"
    code: str | None = None
    headers: Mapping[str, str] = {}
    after_effect: bool = False

    async def respond(self, exchange: Exchange) -> Response:
        """The vendor's error, with the ordered headers on it."""
        await (exchange.reply() if self.after_effect else exchange.read())
        response = exchange.refuse(Refused(self.status, self.message, code=self.code)).response()
        response.headers.update(self.headers)
        return response


class Reset(_Fault):
    """A broken connection.

    During the `upload` nothing has happened; after the `effect` everything has and no byte is
    answered; during the `answer` half of it is sent, or as many pieces of a stream as `pieces`.
    """

    kind: Literal["reset"] = "reset"
    during: Literal["upload", "effect", "answer"]
    pieces: int | None = Field(default=None, ge=0)

    async def respond(self, exchange: Exchange) -> Response:
        """Nothing, or the beginning of an answer."""
        if self.during == "upload":
            await exchange.begin()
            return _Torn(exchange.reset)
        reply = await exchange.reply()
        if self.during == "effect":
            return _Torn(exchange.reset)
        return _Torn(exchange.reset, reply, self._sent(reply))

    def _sent(self, reply: Reply) -> Sequence[bytes]:
        if self.pieces is not None:
            return reply.pieces[: self.pieces]
        return [reply.body[: len(reply.body) // 2]]


class Hang(_Fault):
    """No answer for as long as the client waits."""

    kind: Literal["hang"] = "hang"
    after_effect: bool = False

    async def respond(self, exchange: Exchange) -> Response:
        """Nothing, ever."""
        await (exchange.reply() if self.after_effect else exchange.read())
        return _Silent()


class Slow(_Fault):
    """The true answer, a little at a time."""

    kind: Literal["slow"] = "slow"
    bytes: PositiveInt = 1
    seconds: PositiveFloat = 0.01

    async def respond(self, exchange: Exchange) -> Response:
        """The whole answer in the end."""
        reply = await exchange.reply()
        body = reply.body
        pieces = [body[start : start + self.bytes] for start in range(0, len(body), self.bytes)]
        return _Paced(reply, pieces, lambda: asyncio.sleep(self.seconds))


class Cut(_Fault):
    """A stream that ends in good order, and too early, after so many pieces."""

    kind: Literal["cut"] = "cut"
    pieces: int = Field(default=1, ge=0)

    async def respond(self, exchange: Exchange) -> Response:
        """The first pieces as if they were all."""
        reply = await exchange.reply()
        body = b"".join(reply.pieces[: self.pieces])
        return Response(body, reply.status, reply.headers, reply.media_type)


class Garbage(_Fault):
    """A good status over a body that cannot be read."""

    kind: Literal["garbage"] = "garbage"
    body: str = '{"object": "list", "data": [{"id": '
    media_type: str = JSON
    after_effect: bool = False

    async def respond(self, exchange: Exchange) -> Response:
        """The ordered body."""
        await (exchange.reply() if self.after_effect else exchange.read())
        return Response(self.body, media_type=self.media_type)


Fault = Annotated[
    Failure | Reset | Hang | Slow | Cut | Garbage,
    Field(discriminator="kind"),
]


def too_many_requests(
    *, seconds: float | None = None, milliseconds: float | None = None
) -> Failure:
    """429, with `retry-after` in seconds or `retry-after-ms` where given."""
    headers = {"retry-after": seconds, "retry-after-ms": milliseconds}
    return Failure(
        status=429,
        message="Rate limit reached for requests",
        code="rate_limit_exceeded",
        headers={name: f"{value:g}" for name, value in headers.items() if value is not None},
    )


class _Torn(Response):
    """The beginning of a reply, or nothing, and then a broken connection."""

    def __init__(
        self, reset: Callable[[], None], reply: Reply | None = None, pieces: Sequence[bytes] = ()
    ) -> None:
        super().__init__()
        self._reset = reset
        self._reply = reply
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._reply is not None:
            await _send_head(self._reply, send)
        for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        self._reset()
        await until_gone(receive)


class _Silent(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await until_gone(receive)


class _Paced(Response):
    """A reply in pieces, with a pause after each."""

    def __init__(
        self, reply: Reply, pieces: Sequence[bytes], pause: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._reply = reply
        self._pieces = pieces
        self._pause = pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _send_head(self._reply, send)
        for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await self._pause()
        await send({"type": "http.response.body", "body": b""})


async def _send_head(reply: Reply, send: Send) -> None:
    """The head of the whole reply, so that its client knows how much is missing."""
    head = reply.response()
    await send(
        {"type": "http.response.start", "status": head.status_code, "headers": head.raw_headers}
    )
