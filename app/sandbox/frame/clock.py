"""A simulator's time, which can be moved ahead and never waits."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970 by `source`, and as much ahead of it as was ordered."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0

    def now(self) -> float:
        """The time, in seconds."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move on at once."""
        self._ahead += seconds


def moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
