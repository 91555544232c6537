"""Hosts on loopback that answer what a test writes, byte by byte, and the names they go by."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Host:
    """A listening host; `requests` holds the heads that came."""

    def __init__(self, script: dict[str, list[bytes]]) -> None:
        self.script = script
        self.requests: list[str] = []
        self.visits = 0
        self.port = 0
        self.is_left = asyncio.Event()
        """Somebody went away before the end of an answer that is endless."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request as the script says; an empty piece means silence until they leave."""
        self.visits += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            for piece in self.script[head.split(" ")[1]]:
                await self._send(piece, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.is_left.set()
        finally:
            writer.close()

    async def _send(
        self, piece: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if piece:
            writer.write(piece)
            await writer.drain()
        elif not await reader.read():
            self.is_left.set()


@asynccontextmanager
async def listening(
    script: dict[str, list[bytes]],
    address: str = "127.0.0.1",
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[Host]:
    """A host that answers each path with its pieces; with TLS if it has a certificate."""
    host = Host(script)
    server = await asyncio.start_server(host.serve, address, port, ssl=tls)
    async with server:
        host.port = server.sockets[0].getsockname()[1]
        yield host


def file(content: bytes, *headers: str) -> list[bytes]:
    """An answer with a whole file."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(content)}", *headers]
    return ["\r\n".join(lines).encode() + b"\r\n\r\n", content]


def redirect(location: str, status: int = 302) -> list[bytes]:
    """An answer that sends somebody elsewhere."""
    return [f"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()]


class Names:
    """A resolver that a test answers for: each question takes the next answer, the last stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name: list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host; an address stands for itself."""
        self.asked.append(host)
        given = self.answers.get(host, [[host]])
        return given.pop(0) if len(given) > 1 else given[0]
