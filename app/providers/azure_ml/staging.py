"""Training files in the workspace's storage: compiled, named by the hash of their bytes."""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO

import msgspec

from app.domain.compiling import Compiler
from app.domain.datasets import DatasetKind
from app.domain.errors import Never
from app.domain.examples import decode_example
from app.domain.provider import ExampleSource
from app.providers.azure_ml.account import UPLOAD_SECONDS, Account
from app.providers.azure_ml.refusals import staging

FOLDER = "luthier/data"

BATCH_BYTES = 1024 * 1024


class Staged(msgspec.Struct, frozen=True):
    """A compiled file on this disk."""

    file: IO[bytes]
    sha256: str
    size: int

    @property
    def path(self) -> str:
        """Where it lies in the container: the same for the same bytes, and only for them."""
        return f"{FOLDER}/{self.sha256}.jsonl"


class Staging:
    """The folder of training files in the workspace's default datastore."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def put(self, source: ExampleSource, kind: DatasetKind, compiler: Compiler) -> str:
        """The `azureml://` address of the compiled examples; bytes that are there are not resent.

        Raises `Never` where an example cannot be compiled.
        """
        with tempfile.TemporaryFile() as file:
            staged = await self._compile(source, kind, compiler, file)
            with staging():
                await self._account.open()
                return await self._account.run(self._ensure, staged)

    async def _compile(
        self, source: ExampleSource, kind: DatasetKind, compiler: Compiler, file: IO[bytes]
    ) -> Staged:
        digest = hashlib.sha256()
        with compiler:
            async for lines in _batches(source):
                data = await self._account.run(_compiled, compiler, kind, lines)
                digest.update(data)
                await self._account.run(file.write, data)
        return Staged(file, digest.hexdigest(), file.tell())

    def _ensure(self, staged: Staged) -> str:
        if not self._is_there(staged):
            self._upload(staged)
        return address(self._account.datastore.name, staged.path)

    def _is_there(self, staged: Staged) -> bool:
        from azure.core.exceptions import ResourceNotFoundError

        blob = self._account.container.get_blob_client(staged.path)
        try:
            size = blob.get_blob_properties().size
        except ResourceNotFoundError:
            return False
        if size != staged.size:
            raise Never(
                f"{staged.path} in the workspace's storage is not what its name says.",
                code="staged_file_altered",
                hint="Remove that blob, then retry the job.",
            )
        return True

    def _upload(self, staged: Staged) -> None:
        from azure.core.exceptions import ResourceExistsError

        staged.file.seek(0)
        blob = self._account.container.get_blob_client(staged.path)
        try:
            blob.upload_blob(
                staged.file, length=staged.size, overwrite=False, timeout=UPLOAD_SECONDS
            )
        except ResourceExistsError:
            # Another attempt with the same bytes was faster.
            self._is_there(staged)


def address(datastore: str, path: str) -> str:
    """What a job calls a path in a datastore."""
    return f"azureml://datastores/{datastore}/paths/{path}"


def _compiled(compiler: Compiler, kind: DatasetKind, lines: Sequence[bytes]) -> bytes:
    compiled = compiler.compile([decode_example(line, kind) for line in lines])
    for one in compiled:
        if one.errors:
            raise Never(
                f"An example cannot be sent to Azure ML: {one.errors[0].message}",
                code="dataset_unfit",
                hint="Mend the dataset; POST /datasets/{id}/compile names the lines.",
            )
    return b"".join(one.data + b"\n" for one in compiled)


async def _batches(source: ExampleSource) -> AsyncIterator[Sequence[bytes]]:
    """Whole lines, about a megabyte at a time."""
    pieces, size = list[bytes](), 0
    async for chunk in source.chunks():
        pieces.append(chunk)
        size += len(chunk)
        if size >= BATCH_BYTES:
            *lines, rest = b"".join(pieces).split(b"\n")
            pieces, size = [rest], 0
            yield [line for line in lines if line]
    yield [line for line in b"".join(pieces).split(b"\n") if line]
