"""Wake-ups inside one process, given after a commit; losing or doubling one is harmless."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager


class Signals:
    """Whoever waits here is woken early; whoever is not waiting looks again by the clock."""

    def __init__(self) -> None:
        # In order of arrival, so that the same run is woken in the same order.
        self._waiting: dict[str, dict[asyncio.Event, None]] = {}

    def send(self, topic: str) -> None:
        """Wake all who wait for the topic now."""
        for waiter in self._waiting.get(topic, ()):
            waiter.set()

    @contextmanager
    def listening(self, topic: str) -> Generator[asyncio.Event]:
        """An event that is set by every `send` while the block lasts; the listener clears it."""
        waiter = asyncio.Event()
        self._waiting.setdefault(topic, {})[waiter] = None
        try:
            yield waiter
        finally:
            self._waiting[topic].pop(waiter, None)


WORK_DUE = "work due"
"""Some row became due for the reconciler."""

JOB_CHANGED = "job changed"
"""Some job has a new revision or a new event."""
