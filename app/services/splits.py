"""Splits: versions for training, validation and test out of one dataset version."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import msgspec

from app.domain.datasets import Dataset, DiffCounts, Lineage, MadeBy
from app.domain.errors import DatasetNotFound, Invalid
from app.domain.idempotency import Idempotency
from app.domain.splits import Shares, Sides, Sorting
from app.services.created import Created
from app.services.datasets import Datasets
from app.services.once import once_after
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.sources import read_batches

MAX_NAME = 100


class WantedSplit(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for; `group_by` is a JSON pointer into the canonical example."""

    dataset: str
    shares: Shares
    seed: int
    group_by: str | None = None


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: a dataset version for every part, and how the examples were kept apart."""

    dataset: Dataset
    seed: int
    group_by: str | None
    is_stratified: bool
    groups: int
    compared: int
    parts: dict[str, Dataset]


class Splits:
    """What a user does to hold examples out."""

    def __init__(self, database: Database, blobs: Blobs, stored: Datasets) -> None:
        self._database = database
        self._blobs = blobs
        self._stored = stored

    async def create(self, wanted: WantedSplit, key: Idempotency | None = None) -> Created[Split]:
        """Store the parts as versions of `<name>-train`, `<name>-validation`, `<name>-test`.

        The same dataset version, shares and seed give the same versions; `existed` says that all
        were there. Raises `SplitImpossible` where a part would stay empty.
        """

        async def make() -> Created[Split]:
            dataset = await self._stored.get(wanted.dataset)
            names = _names(dataset.name, wanted.shares)
            try:
                return await self._split(dataset, wanted, names)
            except FileNotFoundError as error:
                raise DatasetNotFound(f"Dataset {dataset.id!r} was just removed.") from error

        return await once_after(self._database, key, Split, make)

    async def _split(
        self, dataset: Dataset, wanted: WantedSplit, names: Mapping[str, str]
    ) -> Created[Split]:
        sides = await self._sort(dataset, wanted)
        stored = {
            part: await self._store(dataset, sides, wanted, part=part, name=name)
            for part, name in names.items()
        }
        split = Split(
            dataset=dataset,
            seed=wanted.seed,
            group_by=wanted.group_by,
            is_stratified=sides.is_stratified,
            groups=sides.groups,
            compared=sides.compared,
            parts={part: created.thing for part, created in stored.items()},
        )
        return Created(split, existed=all(created.existed for created in stored.values()))

    async def _sort(self, dataset: Dataset, wanted: WantedSplit) -> Sides:
        sorting = Sorting(dataset.kind, group_by=wanted.group_by)
        async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
            # Hashing is work for a processor: the event loop goes on answering meanwhile.
            await asyncio.to_thread(sorting.feed, batch)
        return await asyncio.to_thread(sorting.sides, wanted.shares, wanted.seed)

    async def _store(
        self, dataset: Dataset, sides: Sides, wanted: WantedSplit, *, part: str, name: str
    ) -> Created[Dataset]:
        async with self._stored.take_in(self._rows_of(dataset, sides, part)) as draft:
            lineage = _lineage(dataset, wanted, part, kept=draft.intake.examples)
            return await self._stored.keep(draft, name, lineage=lineage)

    async def _rows_of(self, dataset: Dataset, sides: Sides, part: str) -> AsyncIterator[bytes]:
        row = 0
        async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
            chosen = [
                line + b"\n"
                for line, its_part in zip(batch, sides.parts[row : row + len(batch)], strict=True)
                if its_part == part
            ]
            row += len(batch)
            yield b"".join(chosen)


def _lineage(dataset: Dataset, wanted: WantedSplit, part: str, *, kept: int) -> Lineage:
    parameters = {
        "part": part,
        "validation": wanted.shares.validation,
        "test": wanted.shares.test,
        "seed": wanted.seed,
        "group_by": wanted.group_by,
    }
    diff = DiffCounts(removed=dataset.examples - kept)
    return Lineage(dataset.id, MadeBy(operation="split", parameters=parameters, diff=diff))


def _names(name: str, shares: Shares) -> dict[str, str]:
    """The name of every part; raises `Invalid` where one would be too long."""
    names = {part: f"{name}-{part}" for part in shares.by_part}
    if max(map(len, names.values())) > MAX_NAME:
        raise Invalid(
            f"The names of the parts would be longer than {MAX_NAME} characters; upload the "
            "dataset under a shorter name."
        )
    return names
