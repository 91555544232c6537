"""How long a download may take, as a whole and without a sign of life."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import msgspec

from app.domain.errors import UrlUnreachable

Thing = TypeVar("Thing")


class Patience(msgspec.Struct, frozen=True):
    """Limits in seconds."""

    connect: float = 10
    idle: float = 30
    """Between two pieces."""

    whole: float = 3600


class Deadline:
    """One download's time, which begins now."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._end = _now() + patience.whole

    @asynccontextmanager
    async def waiting(self) -> AsyncGenerator[None]:
        """Wait inside; raises `UrlUnreachable` when it takes too long."""
        with _told():
            async with asyncio.timeout_at(min(self._end, _now() + self._patience.idle)):
                yield

    async def paced(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The same pieces as long as they keep coming; raises `UrlUnreachable`."""
        while True:
            async with self.waiting():
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise UrlUnreachable(
            "The file does not come, or comes too slowly; try again, or upload it yourself."
        ) from error


def _now() -> float:
    return asyncio.get_running_loop().time()
