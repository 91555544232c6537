"""Answers of a vendor that are none, and what it says inside a stream."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI

from app.domain.errors import ModelUnavailable
from app.providers.openai_wire.chat import Chat
from app.providers.openai_wire.posting import Post

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
WORD = b'data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n'


@asynccontextmanager
async def answering(body: bytes, connections: list[object]) -> AsyncGenerator[Chat]:
    """A vendor that answers everything with the same body."""
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while sent := await _request(reader):
            assert b"/chat/completions" in sent
            writer.write(head + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    async with server, AsyncOpenAI(api_key="sk-1", base_url=url, max_retries=0) as client:
        post = Post(client, timeout=10)
        yield Chat(post, vendor="Acme")
        await post.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
    return head + await reader.readexactly(int(length))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"choices": []}', b'{"a": NaN}'])
async def test_what_cannot_be_read_is_no_answer(body: bytes) -> None:
    async with answering(body, []) as chat:
        with pytest.raises(ModelUnavailable, match="Acme"):
            await chat.chat("m", ASKED)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'data: {"error": {"message": "Too long."}}\n\n', "Too long"),
        (b'data: {"error": "worn out"}\n\n', "broke off"),
        (b'data: {"choi\n\n', "cannot be read"),
        (b"data: [DONE]\n\n", "broke off"),
    ],
)
async def test_what_breaks_a_stream_is_said(body: bytes, said: str) -> None:
    async with answering(body, []) as chat:
        with pytest.raises(ModelUnavailable, match=said):
            _ = [chunk async for chunk in chat.chat_stream("m", ASKED)]


async def test_streams_share_a_connection() -> None:
    connections: list[object] = []
    async with answering(WORD + b"data: [DONE]\n\n: over\n\n", connections) as chat:
        told = [[chunk async for chunk in chat.chat_stream("m", ASKED)] for _ in range(3)]

    assert [len(chunks) for chunks in told] == [1, 1, 1]
    assert len(connections) == 1
