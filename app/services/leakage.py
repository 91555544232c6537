"""Leakage: whether what a model is measured with was in what it is trained with."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from app.domain.datasets import Dataset, DatasetKind
from app.domain.errors import DatasetNotFound
from app.domain.leakage import Leakage, LeakageSearch
from app.storage import datasets
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.sources import read_batches

Look = Callable[[Sequence[bytes], DatasetKind], None]


class ComparedDatasets(msgspec.Struct, frozen=True):
    """Two dataset versions with what leaks from the first into the second."""

    dataset: Dataset
    held_out: Dataset
    leakage: Leakage


class Leakages:
    """What a user asks before a measurement is believed."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    async def find(self, reference: str, held_out_reference: str) -> ComparedDatasets:
        """Compare two versions now; takes seconds for a hundred thousand examples."""
        async with self._database.read() as connection:
            dataset = await datasets.get(connection, reference)
            held_out = await datasets.get(connection, held_out_reference)
        search = LeakageSearch()
        await self._each(dataset, search.learn)
        await self._each(held_out, search.learn)
        await self._each(held_out, search.hold)
        await self._each(dataset, search.compare)
        return ComparedDatasets(dataset, held_out, await asyncio.to_thread(search.found))

    async def _each(self, dataset: Dataset, look: Look) -> None:
        try:
            async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
                # Hashing is work for a processor: the event loop goes on answering meanwhile.
                await asyncio.to_thread(look, batch, dataset.kind)
        except FileNotFoundError as error:
            raise DatasetNotFound(f"Dataset {dataset.id!r} was just removed.") from error
