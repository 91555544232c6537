"""Rates: how many requests a key may send in a minute, counted in this process."""

import math
import time

import msgspec
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.domain.access import Caller


class Allowance(msgspec.Struct, frozen=True):
    """What a caller may still send, and in how many seconds it is more."""

    limit: int
    remaining: int
    reset_seconds: int
    is_granted: bool

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF's draft on rate limit fields names them."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }
        return told if self.is_granted else told | {"Retry-After": str(self.reset_seconds)}


class Rates:
    """A moving window of a minute for every caller that has a limit."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def take(self, caller: Caller) -> Allowance | None:
        """Count a request; None where nothing limits the caller."""
        if caller.rate_limit_per_minute is None:
            return None
        limit = RateLimitItemPerMinute(caller.rate_limit_per_minute)
        who = caller.key_id or f"token:{caller.name}"
        is_granted = self._windows.hit(limit, who)
        window = self._windows.get_window_stats(limit, who)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        return Allowance(limit.amount, window.remaining, seconds, is_granted)
