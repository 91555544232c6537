"""Datasets: taking in, naming, reading, removing."""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy.exc import IntegrityError

from app.domain.datasets import Dataset
from app.domain.errors import DatasetInUse, IdempotencyKeyReused, TooLarge
from app.domain.examples import Example, decode_example
from app.domain.idempotency import Idempotency
from app.domain.intake import Intake
from app.services.created import Created
from app.storage import datasets, evaluations, idempotency, jobs
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.idempotency import KeyTaken
from app.storage.ids import new_id
from app.storage.sources import read_lines


class Draft(msgspec.Struct, frozen=True):
    """Checked examples on their way in: canonical lines in a file, and what was found."""

    path: Path
    intake: Intake


class Datasets:
    """What a user does with datasets."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        *,
        staging: Path,
        max_bytes: int,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._staging = staging
        self._max_bytes = max_bytes
        self._clock = clock

    @asynccontextmanager
    async def take_in(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Draft]:
        """Check a file while it streams in; the draft's file is gone when the block ends.

        Raises `DatasetInvalid` with every wrong line, `TooLarge` past the service's limit.
        """
        self._staging.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._staging, suffix=".jsonl")
        try:
            intake = await self._check_into(descriptor, pieces)
            yield Draft(Path(name), intake)
        finally:
            os.unlink(name)

    async def keep(
        self, draft: Draft, name: str, key: Idempotency | None = None
    ) -> Created[Dataset]:
        """Store a draft as the next version of a name, or answer the version that holds it."""
        sha256 = draft.intake.sha256
        await self._blobs.put(sha256, draft.path)
        try:
            created = await self._keep_until_settled(draft, name, sha256, key)
        except IdempotencyKeyReused:
            await self._drop_unused(sha256)
            raise
        if created.is_replay:
            await self._drop_unused(sha256)
        return created

    async def get(self, reference: str) -> Dataset:
        """The version of an id, `name` or `name@3`."""
        async with self._database.read() as connection:
            return await datasets.get(connection, reference)

    async def list_page(self, *, name: str | None, before: str | None, limit: int) -> list[Dataset]:
        """Versions, newest first."""
        async with self._database.read() as connection:
            return await datasets.list_page(connection, name=name, before=before, limit=limit)

    def content(self, dataset: Dataset) -> AsyncIterator[bytes]:
        """The canonical JSON Lines."""
        return self._blobs.chunks(dataset.sha256)

    async def examples(self, dataset: Dataset, *, after: int, limit: int) -> Sequence[Example]:
        """At most `limit` examples from the `after`-th line on."""
        found: list[Example] = []
        number = 0
        async for line in read_lines(self._blobs.chunks(dataset.sha256)):
            number += 1
            if number > after:
                found.append(decode_example(line, dataset.kind))
            if len(found) == limit:
                break
        return found

    async def remove(self, reference: str) -> None:
        """Forget a version; raises `DatasetInUse` while unfinished work needs it."""
        async with self._database.write() as connection:
            dataset = await datasets.get(connection, reference)
            is_last = await datasets.remove(connection, dataset)
            user = await jobs.uses_dataset(connection, dataset.id)
            user = user or await evaluations.uses_dataset(connection, dataset.id)
            if user is not None:
                raise DatasetInUse(f"{user} needs this dataset; wait for its end or cancel it.")
        if is_last:
            await self._blobs.remove(dataset.sha256)

    async def _check_into(self, descriptor: int, pieces: AsyncIterator[bytes]) -> Intake:
        intake = Intake()
        received = 0
        with os.fdopen(descriptor, "wb") as file:
            async for piece in pieces:
                received += len(piece)
                if received > self._max_bytes:
                    raise TooLarge(f"The file is larger than {self._max_bytes} bytes.")
                # Decoding is work for a processor: the event loop goes on answering meanwhile.
                await asyncio.to_thread(lambda: file.write(intake.feed(piece)))  # noqa: B023
            file.write(intake.finish())
        return intake

    async def _keep_until_settled(
        self, draft: Draft, name: str, sha256: str, key: Idempotency | None
    ) -> Created[Dataset]:
        while True:
            try:
                return await self._keep_once(draft, name, sha256, key)
            except (IntegrityError, KeyTaken):
                # Another request took the same number, content or key first: look again.
                continue

    async def _drop_unused(self, sha256: str) -> None:
        async with self._database.read() as connection:
            is_used = await datasets.is_content_used(connection, sha256)
        if not is_used:
            await self._blobs.remove(sha256)

    async def _keep_once(
        self, draft: Draft, name: str, sha256: str, key: Idempotency | None
    ) -> Created[Dataset]:
        async with self._database.write() as connection:
            first = await idempotency.find(connection, key, Dataset)
            if first is not None:
                return Created(first, is_replay=True)
            present = await datasets.find_content(connection, name, sha256)
            dataset = present
            if dataset is None:
                version = await datasets.next_version(connection, name)
                dataset = _dataset(draft.intake, name, version, self._clock())
                await datasets.add(connection, dataset)
            await idempotency.keep(connection, key, dataset)
        # A removal of the same content may have come between the upload and this commit.
        await self._blobs.put(sha256, draft.path)
        return Created(dataset, existed=present is not None)


def _dataset(intake: Intake, name: str, version: int, now: int) -> Dataset:
    assert intake.kind is not None
    assert intake.format is not None
    return Dataset(
        id=new_id("ds"),
        name=name,
        version=version,
        kind=intake.kind,
        format=intake.format,
        examples=intake.examples,
        bytes=intake.bytes,
        sha256=intake.sha256,
        created_at=now,
    )
