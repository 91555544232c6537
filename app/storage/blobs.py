"""Blobs by content hash, on disk or in an object store; what is there never changes."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from obstore.store import ObjectStore, from_url


class Blobs:
    """Content-addressed bytes: the same content is stored once, whatever it is called."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder
        """Where the store keeps its files, if it is this machine."""

    @classmethod
    def at(cls, url: str) -> "Blobs":
        """Blobs behind a URL: `file:///...`, `s3://bucket/prefix`, `gs://...`, `az://...`."""
        if not url.startswith("file://"):
            return cls(from_url(url))
        folder = Path(url.removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True)
        return cls(from_url(url), folder)

    async def put(self, sha256: str, path: Path) -> None:
        """Keep the file's content under its hash; it appears whole or not at all.

        The file may be kept itself, without a copy: nobody may write to it any more.
        """
        if await self.has(sha256):
            return
        if self._folder is None or not _link(path, self._folder / _key(sha256)):
            await self._store.put_async(_key(sha256), path)

    async def has(self, sha256: str) -> bool:
        """Whether the content is there."""
        try:
            await self._store.head_async(_key(sha256))
        except FileNotFoundError:
            return False
        return True

    async def chunks(self, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises FileNotFoundError when it is gone."""
        answer = await self._store.get_async(_key(sha256))
        async for piece in answer.stream(min_chunk_size=256 * 1024):
            yield bytes(piece)

    async def remove(self, sha256: str) -> None:
        """Forget the content; forgetting what is gone is fine."""
        try:
            await self._store.delete_async(_key(sha256))
        except FileNotFoundError:
            return


def _link(path: Path, target: Path) -> bool:
    """Give a file a second name; False where it would be on another disk, or links are unknown."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True


def _key(sha256: str) -> str:
    return f"sha256/{sha256[:2]}/{sha256}"
