"""Lists that lag behind: what was just created is there, and no list shows it yet."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt

from app.sandbox.frame.clock import Clock


class Lag(BaseModel):
    """How long a new thing stays out of lists: for so many lists, and for so many seconds."""

    model_config = ConfigDict(extra="forbid")

    lists: NonNegativeInt = 0
    seconds: NonNegativeFloat = 0


class Listing:
    """Which of the things that exist a list shows."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._born: dict[str, float] = {}
        self._missed: dict[str, int] = {}

    def add(self, name: str) -> None:
        """A thing is born."""
        self._born[name] = self._clock.now()
        self._missed[name] = 0

    def shown(self, names: Iterable[str], lag: Lag) -> list[str]:
        """The names that one list shows; it counts against the lag of those that it does not."""
        return [name for name in names if self._shows(name, lag)]

    def _shows(self, name: str, lag: Lag) -> bool:
        late = self._clock.now() < self._born[name] + lag.seconds
        if self._missed[name] < lag.lists:
            self._missed[name] += 1
            return False
        return not late
