"""Answers that come piece by piece: the data of server-sent events."""

from collections.abc import Iterator
from typing import Any

import httpx


def data_lines(
    client: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None
) -> Iterator[str]:
    """The data of each event as it comes; the service sends one line with each."""
    accept = {"Accept": "text/event-stream"}
    with client.stream(method, path, json=body, headers=accept) as response:
        for line in response.iter_lines():
            name, _, data = line.partition(": ")
            if name == "data":
                yield data
