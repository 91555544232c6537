"""Streams: server-sent events as the WHATWG standard frames them, and text read in pieces."""

import codecs

EVENT_STREAM = "text/event-stream"


def event_frame(id: str, event: str, data: str) -> bytes:
    """One event; `data` is one line of JSON."""
    return f"id: {id}\nevent: {event}\ndata: {data}\n\n".encode()


def data_frame(data: str) -> bytes:
    """One event without a name, as OpenAI streams its chunks."""
    return f"data: {data}\n\n".encode()


def keep_alive() -> bytes:
    """A comment, so that proxies and readers know that the stream lives."""
    return b": alive\n\n"


def decode_whole(piece: bytes) -> tuple[str, int]:
    """A piece of UTF-8 as text, and how many bytes at its end begin a character cut in two."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(piece)
    return text, len(decoder.getstate()[0])
