"""An endpoint on loopback that takes messages, and answers them as a test says."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

SILENCE = 0
"""In place of a status: no answer at all."""


class Message(msgspec.Struct, frozen=True):
    """One request as it came; header names are lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The message's own id."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        """What the body says."""
        return msgspec.json.decode(self.body)


class Receiver:
    """Takes everything; `answers` are the next statuses, and 200 follows."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.reply = b"taken"
        self.headers = ""
        self.url = ""
        self.received: list[Message] = []
        self._arrived: asyncio.Queue[Message] = asyncio.Queue()
        self._is_over = asyncio.Event()

    @property
    def types(self) -> list[str]:
        """The types of all messages, as they came."""
        return [one.json["type"] for one in self.received]

    async def next(self) -> Message:
        """The next message that nobody has waited for, once it is there."""
        return await self._arrived.get()

    def hang_up(self) -> None:
        """End the connections on which there was silence."""
        self._is_over.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one message."""
        try:
            message = await _read(reader)
            status = self.answers.pop(0) if self.answers else 200
            self.received.append(message)
            self._arrived.put_nowait(message)
            if status == SILENCE:
                await self._is_over.wait()
            else:
                writer.write(self._answer(status))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    def _answer(self, status: int) -> bytes:
        lines = (f"HTTP/1.1 {status} So", f"Content-Length: {len(self.reply)}", self.headers)
        return "\r\n".join(line for line in lines if line).encode() + b"\r\n\r\n" + self.reply


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """A receiver at work."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        receiver.url = f"http://127.0.0.1:{port}/hook"
        try:
            yield receiver
        finally:
            receiver.hang_up()


async def _read(reader: asyncio.StreamReader) -> Message:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Message(first.split(" ")[1], headers, body)
