"""An object store on loopback with one object, which may change or be shorter than promised."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Shelf:
    """One object as S3 and its like serve it: its head, and ranges of it while it is the same."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.next_content = content
        """What it is from the second range on."""
        self.missing_bytes = 0
        """How many are promised in vain at the end of each range."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        wanted = re.search(r"range: bytes=(\d+)-(\d+)", head)
        if wanted is None:
            writer.write(self._head("200 OK", len(self.content)))
        elif self._tag() not in head:
            writer.write(self._head("412 Precondition Failed", 0))
        else:
            self._send_range(writer, int(wanted[1]), int(wanted[2]))
        writer.close()

    def _send_range(self, writer: asyncio.StreamWriter, first: int, last: int) -> None:
        size = len(self.content)
        place = f"Content-Range: bytes {first}-{last}/{size}"
        writer.write(self._head("206 Partial Content", last + 1 - first, place))
        writer.write(self.content[first : last + 1 - self.missing_bytes])
        self.content = self.next_content

    def _head(self, status: str, length: int, *more: str) -> bytes:
        dated = "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT"
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", f"ETag: {self._tag()}", dated]
        return "\r\n".join([*lines, *more, "Connection: close", "", ""]).encode()

    def _tag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()}"'


@asynccontextmanager
async def shelved(shelf: Shelf) -> AsyncGenerator[int]:
    """The port where the object is served."""
    server = await asyncio.start_server(shelf.serve, "127.0.0.1")
    async with server:
        yield server.sockets[0].getsockname()[1]
