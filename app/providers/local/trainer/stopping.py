"""Stopping on request: a signal sets a switch, and the work looks at it where it can stop."""

from types import FrameType


class Stopped(Exception):
    """The trainer was asked to stop, and what is needed to go on later is saved."""


class StopSwitch:
    """Pressed by SIGTERM; never released."""

    def __init__(self) -> None:
        self.pressed = False

    def press(self, _signal: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self.pressed = True

    def check(self) -> None:
        """Raise Stopped when the switch was pressed."""
        if self.pressed:
            raise Stopped
