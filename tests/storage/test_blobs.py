"""Blobs by their hash."""

from pathlib import Path

import pytest

from app.storage.blobs import Blobs

HASH = "ab" * 32


async def content(blobs: Blobs) -> bytes:
    """What is kept under the hash."""
    return b"".join([piece async for piece in blobs.chunks(HASH)])


@pytest.mark.parametrize("where", ["file", "memory"])
async def test_a_file_is_kept_when_its_own_name_is_gone(tmp_path: Path, where: str) -> None:
    blobs = Blobs.at(f"file://{tmp_path}/blobs" if where == "file" else "memory:///")
    draft = tmp_path / "draft"
    draft.write_bytes(b"one\n")
    await blobs.put(HASH, draft)
    await blobs.put(HASH, draft)
    draft.unlink()
    assert await content(blobs) == b"one\n"


async def test_on_the_same_disk_nothing_is_copied(tmp_path: Path) -> None:
    draft = tmp_path / "draft"
    draft.write_bytes(b"one\n")
    await Blobs.at(f"file://{tmp_path}/blobs").put(HASH, draft)
    assert draft.stat().st_nlink == 2


async def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    blobs = Blobs.at(f"file://{tmp_path}/blobs")
    draft = tmp_path / "draft"
    draft.write_bytes(b"one\n")
    await blobs.put(HASH, draft)
    await blobs.remove(HASH)
    assert not await blobs.has(HASH)
    assert draft.read_bytes() == b"one\n"
