"""Conversions: a stored dataset in another form, in another container, packed or not."""

import asyncio
from collections.abc import AsyncIterator

from app.domain.datasets import Dataset
from app.domain.errors import DatasetNotFound
from app.domain.writing.conversion import Survey, Writing
from app.domain.writing.targets import Target
from app.storage.blobs import Blobs
from app.storage.sources import read_batches


class Conversions:
    """What a user does to take a dataset elsewhere; memory is bounded by a batch of lines."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def survey(self, dataset: Dataset, target: Target) -> Survey:
        """What the target cannot carry of the dataset."""
        survey = Survey(target)
        try:
            async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
                # Decoding is work for a processor: the event loop goes on answering meanwhile.
                await asyncio.to_thread(survey.feed, batch)
        except FileNotFoundError as error:
            raise DatasetNotFound(f"Dataset {dataset.id!r} was just removed.") from error
        return survey

    async def content(self, dataset: Dataset, survey: Survey) -> AsyncIterator[bytes]:
        """The file of a dataset that was surveyed, without what the target cannot carry."""
        writing = Writing(survey)
        async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
            yield await asyncio.to_thread(writing.feed, batch)
        yield await asyncio.to_thread(writing.finish)
