"""How far a job's events and checkpoints were told: nothing twice, nothing lost."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

KEPT = 100
"""Events whose ids are remembered at the least, so that one that is listed late is told too."""


class Cursor(msgspec.Struct, frozen=True):
    """What was told: all events before `since` (seconds), those of `told`, and checkpoints."""

    since: int = 0
    told: dict[str, int] = {}
    """Events by id, each with its second."""

    checkpoints: list[str] = []

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """From what `str` gave, or the very beginning."""
        return cls() if text is None else msgspec.json.decode(text, type=cls)

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()

    def is_new(self, event: Mapping[str, Any]) -> bool:
        """Whether an event was not told yet."""
        return event["created_at"] >= self.since and event["id"] not in self.told

    def after(
        self, events: Sequence[Mapping[str, Any]], checkpoints: Sequence[Mapping[str, Any]]
    ) -> "Cursor":
        """The cursor once these were told too."""
        told = self.told | {event["id"]: event["created_at"] for event in events}
        seconds = sorted(told.values())
        # A whole second is remembered or none of it: its events may come one look apart.
        since = seconds[-KEPT] if len(seconds) > KEPT else self.since
        return Cursor(
            since=since,
            told={id_: second for id_, second in told.items() if second >= since},
            checkpoints=[*self.checkpoints, *(row["id"] for row in checkpoints)],
        )
