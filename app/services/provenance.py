"""Provenance: the hashes of what a job will send, while it is being prepared."""

import asyncio
from collections.abc import Sequence

import msgspec

from app.domain.compiling import Compilation, Compiler
from app.domain.datasets import Dataset
from app.domain.errors import DatasetNotFound
from app.domain.examples import decode_example
from app.domain.provenance import RowHashes, Sent, SentRows
from app.domain.provider import Provider, Recipe
from app.storage.blobs import Blobs
from app.storage.sources import StoredExamples, read_batches, two_sides


class Side(msgspec.Struct, frozen=True):
    """A whole dataset with the verdict on it."""

    dataset: Dataset
    verdict: Compilation


class Provenance:
    """Knows the rows of a job as its provider takes them."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def of(
        self,
        provider: Provider,
        recipe: Recipe,
        training: Side,
        validation: Side | None,
        *,
        split: float | None,
        seed: int,
    ) -> Sent:
        """For a dataset that is sent whole, or of which a share is set aside."""
        if split:
            sides = two_sides(self._blobs, training.dataset, split, seed)
            stored = [(training.dataset, side) for side in sides]
            rows = await self._compiled(provider.compiler(recipe), stored)
        else:
            rows = await self._whole(
                provider, recipe, [training, *([] if validation is None else [validation])]
            )
        first, *others = rows
        return Sent(
            compiler=training.verdict.fingerprint,
            training=first,
            validation=others[0] if others else None,
        )

    async def _whole(
        self, provider: Provider, recipe: Recipe, sides: Sequence[Side]
    ) -> list[SentRows]:
        known = [rows for side in sides if (rows := _of_verdict(side)) is not None]
        if len(known) == len(sides):
            return known
        stored = [
            (one.dataset, StoredExamples(self._blobs, one.dataset.sha256, one.dataset.examples))
            for one in sides
        ]
        return await self._compiled(provider.compiler(recipe), stored)

    async def _compiled(
        self, compiler: Compiler, sides: Sequence[tuple[Dataset, StoredExamples]]
    ) -> list[SentRows]:
        await asyncio.to_thread(compiler.__enter__)
        try:
            return [await _hashed(compiler, *side) for side in sides]
        except FileNotFoundError as error:
            raise DatasetNotFound("A dataset of the job was just removed.") from error
        finally:
            await asyncio.to_thread(compiler.__exit__)


async def _hashed(compiler: Compiler, dataset: Dataset, examples: StoredExamples) -> SentRows:
    hashes = RowHashes(compiler.prefix)

    def feed(lines: Sequence[bytes]) -> None:
        decoded = [decode_example(line, dataset.kind) for line in lines]
        hashes.feed(one.data for one in compiler.compile(decoded))

    async for batch in read_batches(examples.chunks()):
        # Rendering is work for a processor: the event loop goes on answering meanwhile.
        await asyncio.to_thread(feed, batch)
    return SentRows(
        dataset_sha256=dataset.sha256,
        examples=examples.count,
        sha256=hashes.sha256,
        rows_sha256=hashes.rows_sha256,
    )


def _of_verdict(side: Side) -> SentRows | None:
    """What is known already; None for a verdict from before it was kept."""
    verdict = side.verdict
    if verdict.rows_sha256 is None:
        return None
    return SentRows(
        dataset_sha256=side.dataset.sha256,
        examples=verdict.examples,
        sha256=verdict.sha256,
        rows_sha256=verdict.rows_sha256,
    )
