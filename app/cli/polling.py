"""Looking again and again at what cannot be waited for: the one sleep of the command line."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

SECONDS_BETWEEN_LOOKS = 0.3


def until(is_done: Callable[[Seen], bool], look: Callable[[], Seen]) -> Seen:
    """What the first look saw that was the last one needed."""
    while not is_done(seen := look()):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return seen
