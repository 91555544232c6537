"""Calls to providers: how long each took and what came of it, and never what was in it."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum

from opentelemetry.trace import SpanKind

from app.domain.errors import Later, LuthierError, Never, RateLimited, Unavailable, YourTurn
from app.telemetry import counts, traces


class Outcome(StrEnum):
    """What a provider made of a call."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    """It said: later."""

    REFUSED = "refused"
    """It said: never, or cannot take what was asked for."""

    YOUR_TURN = "your_turn"
    """Somebody must act: a wrong credential, an account without money."""

    BROKEN_OFF = "broken_off"
    """Whoever asked has left."""

    UNKNOWN = "unknown"
    """No answer in time, or none that is understood."""


@contextmanager
def vendor_call(provider: str, operation: str) -> Generator[None]:
    """Count and trace one call to a connection; it stands outside of the call's time limit."""
    started = time.perf_counter()
    about = {"luthier.connection": provider, "luthier.operation": operation}
    span = traces.begin(f"provider.{operation}", kind=SpanKind.CLIENT, attributes=about)
    outcome = Outcome.OK
    try:
        yield
    except BaseException as error:
        outcome = outcome_of(error)
        raise
    finally:
        seconds = time.perf_counter() - started
        counts.PROVIDER_CALLS.labels(provider, operation, outcome).observe(seconds)
        span.set_attribute("luthier.outcome", outcome.value)
        span.end()


def outcome_of(error: BaseException) -> Outcome:
    """What a call came to that raised."""
    match error:
        case RateLimited():
            return Outcome.RATE_LIMITED
        case Later() | Unavailable():
            return Outcome.UNAVAILABLE
        case YourTurn():
            return Outcome.YOUR_TURN
        case Never() | LuthierError():
            return Outcome.REFUSED
        case asyncio.CancelledError() | GeneratorExit():
            return Outcome.BROKEN_OFF
        case _:
            return Outcome.UNKNOWN
