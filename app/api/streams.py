"""Server-sent events, as the WHATWG standard frames them."""

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
