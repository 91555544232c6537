"""Diffs: what differs between two versions of a dataset, computed when it is asked for."""

import asyncio
from collections.abc import Callable, Sequence, Set

import msgspec

from app.domain.curation.diffing import Change, ChangeKind, Comparison, Diff
from app.domain.datasets import Dataset, DiffCounts
from app.domain.errors import DatasetKindUnfit, DatasetNotFound
from app.domain.examples import Example, decode_example
from app.storage import datasets
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.sources import read_batches


class ShownChange(msgspec.Struct, frozen=True, kw_only=True):
    """One difference with its examples; lines count from 1."""

    change: ChangeKind
    line: int | None
    line_before: int | None
    example: Example | None
    example_before: Example | None


class ShownDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, how much differs, and a part of the changes."""

    before: Dataset | None
    after: Dataset
    counts: DiffCounts
    unchanged: int
    changes: list[ShownChange]


class Diffs:
    """What a user does to see what has changed."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    async def get(self, reference: str, *, against: str | None, skip: int, limit: int) -> ShownDiff:
        """The changes from one version to another, at most `limit` after the first `skip`.

        Without `against` a version is compared with its parent, an upload with the version of its
        name before it, and the first of a name with nothing. Raises `DatasetKindUnfit` where one
        holds conversations and the other preferences.
        """
        before, after = await self._sides(reference, against)
        try:
            diff = await self._compare(before, after)
            shown = await self._shown(before, after, diff.changes[skip : skip + limit])
        except FileNotFoundError as error:
            raise DatasetNotFound("One of the two datasets was just removed.") from error
        return ShownDiff(
            before=before,
            after=after,
            counts=diff.counts,
            unchanged=diff.unchanged,
            changes=shown,
        )

    async def _sides(self, reference: str, against: str | None) -> tuple[Dataset | None, Dataset]:
        async with self._database.read() as connection:
            after = await datasets.get(connection, reference)
            against = against or after.parent
            before = (
                await datasets.find_before(connection, after)
                if against is None
                else await datasets.get(connection, against)
            )
        if before is not None and before.kind is not after.kind:
            raise DatasetKindUnfit(
                f"{before.name}@{before.version} holds {before.kind} examples and "
                f"{after.name}@{after.version} {after.kind} examples; they cannot be compared."
            )
        return before, after

    async def _compare(self, before: Dataset | None, after: Dataset) -> Diff:
        comparison = Comparison(after.kind)
        await self._read(before, comparison.before.read)
        await self._read(after, comparison.after.read)
        if await asyncio.to_thread(comparison.match):
            await self._read(before, comparison.before.reread)
            await self._read(after, comparison.after.reread)
        return await asyncio.to_thread(comparison.diff)

    async def _read(self, dataset: Dataset | None, take: Callable[[Sequence[bytes]], None]) -> None:
        if dataset is None:
            return
        async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
            # Hashing is work for a processor: the event loop goes on answering meanwhile.
            await asyncio.to_thread(take, batch)

    async def _shown(
        self, before: Dataset | None, after: Dataset, changes: Sequence[Change]
    ) -> list[ShownChange]:
        old = await self._pick(before, {change.before for change in changes})
        new = await self._pick(after, {change.after for change in changes})
        return [
            ShownChange(
                change=change.kind,
                line=None if change.after is None else change.after + 1,
                line_before=None if change.before is None else change.before + 1,
                example=new.get(change.after),
                example_before=old.get(change.before),
            )
            for change in changes
        ]

    async def _pick(
        self, dataset: Dataset | None, rows: Set[int | None]
    ) -> dict[int | None, Example]:
        """The examples of some rows (from 0)."""
        last = max((row for row in rows if row is not None), default=-1)
        found: dict[int | None, Example] = {}
        row = 0
        if dataset is None or last < 0:
            return found
        async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
            for line in batch:
                if row in rows:
                    found[row] = decode_example(line, dataset.kind)
                row += 1
            if row > last:
                break
        return found
