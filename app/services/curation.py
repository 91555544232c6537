"""Curation: a better version out of one that is there; nothing changes in its place."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Sequence
from typing import TypeVar

import msgspec

from app.domain.curation.cleaning import Disclosed, Replacement
from app.domain.curation.deduplicating import Duplicates, Verdict
from app.domain.curation.editing import Edit, Edits
from app.domain.curation.redacting import Redaction
from app.domain.datasets import Dataset, DiffCounts, Lineage, MadeBy
from app.domain.errors import DatasetNotFound
from app.domain.idempotency import Idempotency
from app.domain.reporting.findings import MAX_LINES, shown_groups
from app.services.created import Created
from app.services.datasets import Datasets
from app.services.once import once, once_after
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.sources import read_batches

Answer = TypeVar("Answer", bound=msgspec.Struct)


class WantedEdits(msgspec.Struct, frozen=True, kw_only=True):
    """Edits of a version, to be kept under `name`, or under the name that it has."""

    dataset: str
    edits: Sequence[Edit]
    name: str | None = None


class WantedRedaction(msgspec.Struct, frozen=True, kw_only=True):
    """What to take out of a version's texts, and what is to stand there instead."""

    dataset: str
    kinds: Sequence[Disclosed]
    replacement: Replacement


class WantedDeduplication(msgspec.Struct, frozen=True, kw_only=True):
    """Drop what repeats word by word; with a threshold (0.75 to 1) near duplicates too."""

    dataset: str
    threshold: float | None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are, the first hundred lines (from 1), and the first of their groups."""

    count: int
    lines: Sequence[int]
    groups: Sequence[Sequence[int]] = ()


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """How often one kind was replaced, in how many examples, and the first hundred lines."""

    kind: Disclosed
    count: int
    examples: int
    lines: Sequence[int]


class Redacted(msgspec.Struct, frozen=True, kw_only=True):
    """The version without what was found; the same one where nothing was."""

    dataset: Dataset
    replaced: Sequence[Replaced]
    left: Named


class Deduplicated(msgspec.Struct, frozen=True, kw_only=True):
    """The version without repeats; the same one where there were none."""

    dataset: Dataset
    exact: Named
    near: Named
    contradictions: Named
    compared: int


class Curation:
    """What a user does to make a dataset better."""

    def __init__(self, database: Database, blobs: Blobs, stored: Datasets) -> None:
        self._database = database
        self._blobs = blobs
        self._stored = stored

    async def edit(self, wanted: WantedEdits, key: Idempotency | None = None) -> Created[Dataset]:
        """Store the version with the edits made; raises `EditsInvalid` with all that are wrong."""
        return await once(self._database, key, Dataset, lambda: self._edit(wanted, key))

    async def _edit(self, wanted: WantedEdits, key: Idempotency | None) -> Created[Dataset]:
        dataset = await self._stored.get(wanted.dataset)
        edits = await asyncio.to_thread(
            Edits, wanted.edits, dataset.kind, examples=dataset.examples
        )
        async with self._stored.take_in(self._edited(dataset, edits)) as draft:
            lineage = Lineage(dataset.id, MadeBy(operation="edit", diff=edits.diff))
            name = wanted.name or dataset.name
            return await self._stored.keep(draft, name, key, lineage=lineage)

    async def redact(
        self, wanted: WantedRedaction, key: Idempotency | None = None
    ) -> Created[Redacted]:
        """Store the version without personal data and secrets of the kinds that are wanted."""

        async def make() -> Created[Redacted]:
            return await self._redact(await self._stored.get(wanted.dataset), wanted)

        return await once_after(self._database, key, Redacted, make)

    async def deduplicate(
        self, wanted: WantedDeduplication, key: Idempotency | None = None
    ) -> Created[Deduplicated]:
        """Store the version with the first of every group of repeats; contradictions are kept."""

        async def make() -> Created[Deduplicated]:
            return await self._deduplicate(await self._stored.get(wanted.dataset), wanted)

        return await once_after(self._database, key, Deduplicated, make)

    async def _redact(self, dataset: Dataset, wanted: WantedRedaction) -> Created[Redacted]:
        redaction = Redaction(dataset.kind, wanted.kinds, wanted.replacement)
        async with self._stored.take_in(self._rewritten(dataset, redaction.feed)) as draft:
            created = Created(dataset, existed=True)
            if any(redaction.counts.values()):
                lineage = Lineage(dataset.id, _redacted_by(wanted, redaction))
                created = await self._stored.keep(draft, dataset.name, lineage=lineage)
        replaced = [
            Replaced(
                kind=kind,
                count=count,
                examples=redaction.lines[kind].count,
                lines=redaction.lines[kind].first,
            )
            for kind, count in redaction.counts.items()
        ]
        left = Named(count=redaction.left.count, lines=redaction.left.first)
        answer = Redacted(dataset=created.thing, replaced=replaced, left=left)
        return Created(answer, existed=created.existed)

    async def _deduplicate(
        self, dataset: Dataset, wanted: WantedDeduplication
    ) -> Created[Deduplicated]:
        verdict = await self._judge(dataset, wanted.threshold)
        exact, near = _repeated(verdict.exact), _repeated(verdict.near)
        contradictions = _contradicting(verdict.contradictions)
        counts = {
            "exact": exact.count,
            "near": near.count,
            "contradictions": contradictions.count,
        }
        created = Created(dataset, existed=True)
        if verdict.dropped:
            made_by = _deduplicated_by(wanted, verdict, counts)
            async with self._stored.take_in(self._without(dataset, verdict.dropped)) as draft:
                lineage = Lineage(dataset.id, made_by)
                created = await self._stored.keep(draft, dataset.name, lineage=lineage)
        answer = Deduplicated(
            dataset=created.thing,
            exact=exact,
            near=near,
            contradictions=contradictions,
            compared=verdict.compared,
        )
        return Created(answer, existed=created.existed)

    async def _judge(self, dataset: Dataset, threshold: float | None) -> Verdict:
        duplicates = Duplicates(dataset.kind, threshold=threshold)
        async for batch in self._batches(dataset):
            await asyncio.to_thread(duplicates.feed, batch)
        if await asyncio.to_thread(duplicates.cluster):
            async for batch in self._batches(dataset):
                await asyncio.to_thread(duplicates.reread, batch)
        return await asyncio.to_thread(duplicates.verdict)

    async def _edited(self, dataset: Dataset, edits: Edits) -> AsyncIterator[bytes]:
        async for piece in self._rewritten(dataset, edits.apply):
            yield piece
        yield edits.finish()

    async def _rewritten(
        self, dataset: Dataset, rewrite: Callable[[Sequence[bytes]], bytes]
    ) -> AsyncIterator[bytes]:
        async for batch in self._batches(dataset):
            # Looking into texts is work for a processor: the event loop goes on answering.
            yield await asyncio.to_thread(rewrite, batch)

    async def _without(self, dataset: Dataset, dropped: Container[int]) -> AsyncIterator[bytes]:
        number = 0
        async for batch in self._batches(dataset):
            kept = [
                line for place, line in enumerate(batch, start=number + 1) if place not in dropped
            ]
            number += len(batch)
            yield b"".join(line + b"\n" for line in kept)

    async def _batches(self, dataset: Dataset) -> AsyncIterator[list[bytes]]:
        try:
            async for batch in read_batches(self._blobs.chunks(dataset.sha256)):
                yield batch
        except FileNotFoundError as error:
            raise DatasetNotFound(f"Dataset {dataset.id!r} was just removed.") from error


def _redacted_by(wanted: WantedRedaction, redaction: Redaction) -> MadeBy:
    return MadeBy(
        operation="redact",
        parameters={"kinds": list(wanted.kinds), "replacement": wanted.replacement},
        counts={str(kind): count for kind, count in redaction.counts.items()},
        diff=redaction.diff,
    )


def _deduplicated_by(
    wanted: WantedDeduplication, verdict: Verdict, counts: dict[str, int]
) -> MadeBy:
    return MadeBy(
        operation="deduplicate",
        parameters={"near": wanted.threshold is not None, "threshold": wanted.threshold},
        counts=counts,
        diff=DiffCounts(removed=len(verdict.dropped)),
    )


def _repeated(groups: list[list[int]]) -> Named:
    lines = sorted(line for group in groups for line in group[1:])
    return Named(count=len(lines), lines=lines[:MAX_LINES], groups=shown_groups(groups))


def _contradicting(groups: list[list[int]]) -> Named:
    lines = sorted(line for group in groups for line in group)
    return Named(count=len(groups), lines=lines[:MAX_LINES], groups=shown_groups(groups))
