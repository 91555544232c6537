"""Examples of a stored dataset as a provider reads them, whole or one side of a split."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from app.domain.datasets import Dataset, held_out_rows
from app.storage.blobs import Blobs

BATCH_LINES = 500
BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True)
class StoredExamples:
    """The canonical lines of a blob; of these only `rows` (0-based), or all."""

    blobs: Blobs
    sha256: str
    count: int
    rows: frozenset[int] | None = None

    def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in order."""
        whole = self.blobs.chunks(self.sha256)
        return whole if self.rows is None else _only(whole, self.rows)


def two_sides(
    blobs: Blobs, dataset: Dataset, split: float, seed: int
) -> tuple[StoredExamples, StoredExamples]:
    """What is trained on, and the share that is set aside; the same for the same seed."""
    whole = StoredExamples(blobs, dataset.sha256, dataset.examples)
    aside = held_out_rows(dataset.examples, split, seed)
    rest = frozenset(range(dataset.examples)) - aside
    return (
        replace(whole, count=len(rest), rows=rest),
        replace(whole, count=len(aside), rows=aside),
    )


async def read_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream, without their ends."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


async def read_batches(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The lines of a stream in batches that are worth a thread's while, and bounded in size."""
    batch: list[bytes] = []
    size = 0
    async for line in read_lines(chunks):
        batch.append(line)
        size += len(line)
        if len(batch) == BATCH_LINES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _only(chunks: AsyncIterator[bytes], rows: frozenset[int]) -> AsyncIterator[bytes]:
    number = 0
    async for line in read_lines(chunks):
        if number in rows:
            yield line + b"\n"
        number += 1
