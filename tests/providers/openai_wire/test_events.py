"""Server-sent events, cut into pieces at any byte."""

from collections.abc import AsyncIterator

import pytest

from app.providers.openai_wire.events import data_of

STREAM = (
    b": alive\n\n"
    b'data: {"a": "\xe2\x80\xa8"}\r\n\r\n'
    b"event: said\ndata: one\ndata:two\n\n"
    b"id: 3\rdata: three\r\r"
    b"data: [DONE]\n\n"
    b"data: unfinished\n"
)


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """The stream as a network might bring it."""
    for start in range(0, len(STREAM), size):
        yield STREAM[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
async def test_events_are_the_same_however_they_come(size: int) -> None:
    told = [data async for data in data_of(in_pieces(size))]

    assert told == [b'{"a": "\xe2\x80\xa8"}', b"one\ntwo", b"three", b"[DONE]"]
