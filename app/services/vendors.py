"""Asking a provider because a user wants it now: what goes wrong is an answer to the user."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.domain.errors import (
    Later,
    LuthierError,
    ProviderNotConfigured,
    ProviderUnavailable,
    Steer,
)
from app.telemetry.calls import vendor_call


@asynccontextmanager
async def asked_now(provider: str, operation: str, *, seconds: float) -> AsyncGenerator[None]:
    """Raises `ProviderUnavailable` after so many seconds, or `ProviderNotConfigured`."""
    try:
        with vendor_call(provider, operation):
            async with asyncio.timeout(seconds):
                yield
    except Later as said:
        raise ProviderUnavailable(f"The provider wants to be asked later: {said.reason}") from said
    except Steer as said:
        raise ProviderNotConfigured(str(said)) from said
    except LuthierError:
        raise
    except Exception as error:
        raise ProviderUnavailable(
            f"The provider does not answer as it should ({type(error).__name__})."
        ) from error
