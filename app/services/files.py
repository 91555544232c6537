"""Files: uploads that become datasets, results of jobs, and what is done with both."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.datasets import Dataset
from app.domain.errors import DatasetInvalid, DatasetNotFound, Fault, FileNotFound, FileUnfit
from app.domain.files import File, Purpose, dataset_name
from app.domain.idempotency import Idempotency
from app.domain.results import MOST_POINTS, results_csv
from app.services.created import Created
from app.services.datasets import Datasets
from app.services.once import once
from app.services.receiving import Received
from app.storage import datasets, files, idempotency, job_series, jobs
from app.storage.blobs import Blobs
from app.storage.contents import drop_unused
from app.storage.database import Database
from app.storage.ids import new_id

LINES_TOLD = 20
"""How many wrong lines a file's fault names; a dataset's upload tells a hundred."""


class Files:
    """What a user does with files."""

    def __init__(
        self, database: Database, blobs: Blobs, stored: Datasets, *, clock: Callable[[], int]
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._stored = stored
        self._clock = clock

    async def create(
        self, received: Received, filename: str, key: Idempotency | None = None
    ) -> Created[File]:
        """Keep a training file as it came, and its rows as a version of the dataset of its name.

        Wrong rows are no error: the file is there, with its fault and without a dataset.
        """
        return await once(self._database, key, File, lambda: self._create(received, filename, key))

    async def _create(
        self, received: Received, filename: str, key: Idempotency | None
    ) -> Created[File]:
        await self._blobs.put(received.sha256, received.path)
        rows = await self._understood(received, filename)
        async with self._database.write() as connection:
            file = await self._file(connection, received, filename, rows)
            await idempotency.keep(connection, key, file)
            await files.add(connection, file)
        # A removal of the same content may have come between the upload and this commit.
        await self._blobs.put(received.sha256, received.path)
        return Created(file)

    async def get(self, file_id: str) -> File:
        """The file of that id; raises `FileNotFound`."""
        async with self._database.read() as connection:
            return await files.get(connection, file_id)

    async def list_page(
        self, *, purpose: str | None, after: str | None, limit: int, is_oldest_first: bool
    ) -> list[File]:
        """Files in order of creation."""
        async with self._database.read() as connection:
            return await files.list_page(
                connection,
                purpose=purpose,
                after=after,
                limit=limit,
                is_oldest_first=is_oldest_first,
            )

    async def content(self, file: File) -> AsyncIterator[bytes]:
        """An upload's bytes as they came, or a job's results as CSV."""
        if file.sha256 is not None:
            async for piece in self._blobs.chunks(file.sha256):
                yield piece
        if file.job_id is not None:
            async with self._database.read() as connection:
                job = await jobs.find(connection, file.job_id)
                points = job and await job_series.metrics_after(connection, job, -1, MOST_POINTS)
            yield results_csv(points or [])

    async def remove(self, file_id: str) -> None:
        """Forget a file, and the dataset that came with it once no other file has its rows.

        Raises `DatasetInUse` while unfinished work needs the dataset.
        """
        async with self._database.read() as connection:
            file = await files.get(connection, file_id)
            holders = file.dataset_id and await files.of_dataset(connection, file.dataset_id)
        if file.dataset_id is not None and file.is_owner and holders == [file]:
            with suppress(DatasetNotFound):
                await self._stored.remove(file.dataset_id)
        async with self._database.write() as connection:
            await files.remove(connection, file_id)
        await drop_unused(self._database, self._blobs, file.sha256)

    async def dataset_of(self, reference: str, *, pointer: str) -> str:
        """The dataset that a file's id, or a dataset's own reference, means for a training.

        Raises `FileUnfit`, with the pointer to where the reference was given.
        """
        if not reference.startswith("file-"):
            return reference
        try:
            file = await self.get(reference)
        except FileNotFound as error:
            raise _unfit(error.detail, pointer) from error
        if file.purpose is not Purpose.TRAINING:
            raise _unfit(f"{reference} is for {file.purpose}, not for training.", pointer)
        if file.dataset_id is None:
            raise _unfit(file.fault or "The file has no examples.", pointer)
        return file.dataset_id

    async def _understood(self, received: Received, filename: str) -> Created[Dataset] | str:
        """The dataset of a file's rows, or what is wrong with them."""
        try:
            async with self._stored.take_in(received.pieces()) as draft:
                return await self._stored.keep(draft, dataset_name(filename))
        except DatasetInvalid as error:
            return _fault(error)

    async def _file(
        self,
        connection: AsyncConnection,
        received: Received,
        filename: str,
        rows: Created[Dataset] | str,
    ) -> File:
        dataset = None if isinstance(rows, str) else rows.thing
        is_owner = False
        if dataset is not None:
            await datasets.hold(connection, dataset.id)
            holders = await files.of_dataset(connection, dataset.id)
            is_new = not isinstance(rows, str) and not rows.existed
            is_owner = is_new or any(holder.is_owner for holder in holders)
        return File(
            id=new_id("file", separator="-"),
            filename=filename,
            purpose=Purpose.TRAINING,
            bytes=received.size,
            sha256=received.sha256,
            fault=rows if isinstance(rows, str) else None,
            dataset_id=dataset.id if dataset else None,
            is_owner=is_owner,
            created_at=self._clock(),
        )


def _unfit(message: str, pointer: str) -> FileUnfit:
    return FileUnfit(message, faults=[Fault("file_unfit", message, pointer)])


def _fault(error: DatasetInvalid) -> str:
    """What is wrong, with the first lines that are."""
    lines = [_told(fault) for fault in error.faults[:LINES_TOLD]]
    count = error.fault_count or 0
    more = [f"... and {count - len(lines)} more."] if count > len(lines) else []
    verdict = f"{count} rows are wrong." if lines else error.detail
    return "\n".join(["Invalid file format. " + verdict, *lines, *more])


def _told(fault: Fault) -> str:
    place = "" if fault.line is None else f"Line {fault.line}: "
    return f"{place}{fault.message} ({fault.code})"
