"""Receiving: bytes that stream in, on disk with their hashes before anything is made of them."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import TooLarge

BYTES_AT_ONCE = 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A file that has come whole; `path` is gone when the block that received it ends."""

    path: Path
    size: int
    sha256: str
    md5: str

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content once more."""
        with self.path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, BYTES_AT_ONCE):
                yield piece


class Receiving:
    """Where bytes wait, and how many may come at once."""

    def __init__(self, staging: Path, *, max_bytes: int) -> None:
        self._staging = staging
        self.max_bytes = max_bytes

    @asynccontextmanager
    async def take(
        self, pieces: AsyncIterator[bytes], *, max_bytes: int | None = None
    ) -> AsyncGenerator[Received]:
        """Put what comes on disk; raises `TooLarge` past the limit."""
        self._staging.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._staging) as folder:
            yield await _written(
                Path(folder) / "content", pieces, max_bytes=max_bytes or self.max_bytes
            )


async def _written(path: Path, pieces: AsyncIterator[bytes], *, max_bytes: int) -> Received:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    with path.open("wb") as file:

        def take(piece: bytes) -> None:
            file.write(piece)
            sha256.update(piece)
            md5.update(piece)

        async for piece in pieces:
            size += len(piece)
            if size > max_bytes:
                raise TooLarge(f"The file is larger than {max_bytes} bytes.")
            # Hashing is work for a processor: the event loop goes on answering meanwhile.
            await asyncio.to_thread(take, piece)
    return Received(path, size, sha256.hexdigest(), md5.hexdigest())
