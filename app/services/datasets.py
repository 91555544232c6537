"""Datasets: taking in, naming, reading, removing."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy.exc import IntegrityError

from app.domain.datasets import Dataset, Lineage
from app.domain.errors import DatasetInUse, IdempotencyKeyReused
from app.domain.examples import Example, decode_example
from app.domain.idempotency import Idempotency
from app.domain.intake import Intake, Reading
from app.network.remote_files import RemoteFiles
from app.services.created import Created
from app.services.once import first_answer
from app.storage import comparisons, datasets, evaluations, idempotency, jobs, reports
from app.storage.blobs import Blobs
from app.storage.contents import drop_unused
from app.storage.database import Database
from app.storage.idempotency import KeyTaken
from app.storage.ids import new_id
from app.storage.sources import read_lines

_AS_IT_COMES = Reading()

BYTES_AT_ONCE = 1024 * 1024
"""What one visit to a thread takes in: enough to make the way there cheap."""


class Draft(msgspec.Struct, frozen=True):
    """Checked examples on their way in: canonical lines in a file, and what was found."""

    path: Path
    rejected: Path
    """The rows that were set aside, as JSON Lines."""

    intake: Intake


class Datasets:
    """What a user does with datasets."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        *,
        remote_files: RemoteFiles,
        staging: Path,
        max_bytes: int,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._remote_files = remote_files
        self._staging = staging
        self._max_bytes = max_bytes
        self._clock = clock

    def fetch(self, url: str) -> AsyncGenerator[bytes]:
        """The file behind a URL as it comes; raises `UrlRefused`, `UrlUnreachable` meanwhile."""
        return self._remote_files.pieces(url)

    async def replay(self, key: Idempotency | None) -> Created[Dataset] | None:
        """What the first request with this key created, before anything is fetched again."""
        return await first_answer(self._database, key, Dataset)

    @asynccontextmanager
    async def take_in(
        self, pieces: AsyncIterator[bytes], reading: Reading = _AS_IT_COMES
    ) -> AsyncGenerator[Draft]:
        """Check a file while it streams in; the draft's files are gone when the block ends.

        Raises `DatasetInvalid` with every wrong row, `TooLarge` past the service's limit,
        `FormatUnavailable` for a format whose package is not installed.
        """
        self._staging.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._staging))
        try:
            reading = msgspec.structs.replace(reading, max_bytes=self._max_bytes)
            draft = Draft(folder / "examples.jsonl", folder / "rejected.jsonl", Intake(reading))
            await _check_into(draft, pieces, spool=folder / "spool")
            yield draft
        finally:
            shutil.rmtree(folder)

    async def keep(
        self,
        draft: Draft,
        name: str,
        key: Idempotency | None = None,
        *,
        lineage: Lineage | None = None,
    ) -> Created[Dataset]:
        """Store a draft as the next version of a name, or answer the version that holds it."""
        await self._put(draft)
        try:
            created = await self._keep_until_settled(draft, name, key, lineage)
        except IdempotencyKeyReused:
            await drop_unused(self._database, self._blobs, *_hashes(draft.intake))
            raise
        if created.is_replay:
            await drop_unused(self._database, self._blobs, *_hashes(draft.intake))
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

    def rejected(self, dataset: Dataset) -> AsyncIterator[bytes]:
        """The rows that were set aside, as JSON Lines with line, code, message and the raw row."""
        return (
            _nothing()
            if dataset.rejected_sha256 is None
            else self._blobs.chunks(dataset.rejected_sha256)
        )

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
            await datasets.remove(connection, dataset)
            user = await jobs.uses_dataset(connection, dataset.id)
            user = user or await evaluations.uses_dataset(connection, dataset.id)
            user = user or await comparisons.uses_dataset(connection, dataset.id)
            if user is not None:
                raise DatasetInUse(f"{user} needs this dataset; wait for its end or cancel it.")
        await drop_unused(self._database, self._blobs, dataset.sha256, dataset.rejected_sha256)

    async def _keep_until_settled(
        self, draft: Draft, name: str, key: Idempotency | None, lineage: Lineage | None
    ) -> Created[Dataset]:
        while True:
            try:
                return await self._keep_once(draft, name, key, lineage)
            except (IntegrityError, KeyTaken):
                # Another request took the same number, content or key first: look again.
                continue

    async def _keep_once(
        self, draft: Draft, name: str, key: Idempotency | None, lineage: Lineage | None
    ) -> Created[Dataset]:
        intake, outdated = draft.intake, None
        async with self._database.write() as connection:
            first = await idempotency.find(connection, key, Dataset)
            if first is not None:
                return Created(first, is_replay=True)
            present = await datasets.find_content(connection, name, intake.sha256)
            dataset = present
            if dataset is None:
                version = await datasets.take_version(connection, name)
                dataset = _dataset(intake, name, version, self._clock(), lineage)
                await datasets.add(connection, dataset)
                await reports.add(connection, dataset)
            elif intake.rejected_sha256 not in (None, dataset.rejected_sha256):
                # Whoever sent it must find what was set aside just now.
                outdated = dataset.rejected_sha256
                dataset = await datasets.set_rejected(
                    connection, dataset, rejected=intake.rejected, sha256=intake.rejected_sha256
                )
            await idempotency.keep(connection, key, dataset)
        # A removal of the same content may have come between the upload and this commit.
        await self._put(draft)
        await drop_unused(self._database, self._blobs, outdated)
        return Created(dataset, existed=present is not None)

    async def _put(self, draft: Draft) -> None:
        await self._blobs.put(draft.intake.sha256, draft.path)
        if draft.intake.rejected_sha256 is not None:
            await self._blobs.put(draft.intake.rejected_sha256, draft.rejected)


async def _check_into(draft: Draft, pieces: AsyncIterator[bytes], *, spool: Path) -> None:
    intake = draft.intake
    with (
        draft.path.open("wb") as examples,
        draft.rejected.open("wb") as rejected,
        spool.open("w+b") as spooled,
    ):

        def take(pieces: list[bytes]) -> None:
            for piece in pieces:
                taken = intake.feed(piece)
                (spooled if intake.is_spooling else examples).write(taken)
                rejected.write(intake.take_rejected())

        def end() -> None:
            if intake.is_spooling:
                spooled.seek(0)
                for line in intake.read_spooled(spooled):
                    examples.write(line)
                    rejected.write(intake.take_rejected())
            examples.write(intake.finish())
            rejected.write(intake.take_rejected())

        async for batch in _batched(pieces):
            # Decoding is work for a processor: the event loop goes on answering meanwhile.
            await asyncio.to_thread(take, batch)
        await asyncio.to_thread(end)


async def _batched(pieces: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    async for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _hashes(intake: Intake) -> tuple[str, str | None]:
    return intake.sha256, intake.rejected_sha256


def _dataset(intake: Intake, name: str, version: int, now: int, lineage: Lineage | None) -> Dataset:
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
        rejected=intake.rejected,
        rejected_sha256=intake.rejected_sha256,
        parent=None if lineage is None else lineage.parent,
        made_by=None if lineage is None else lineage.made_by,
        created_at=now,
    )
