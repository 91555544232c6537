"""Training files in a bucket: compiled, named by the hash of their bytes, and put there once."""

import base64
import hashlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO, Any

import msgspec

from app.domain.compiling import Compiler
from app.domain.datasets import DatasetKind
from app.domain.errors import Never
from app.domain.examples import decode_example
from app.domain.provider import ExampleSource
from app.providers.vertex.account import Account
from app.providers.vertex.refusals import staging

LINES_AT_A_TIME = 500

UPLOAD_SECONDS = 300
"""For one request; a large file is sent in several."""

CHUNK_BYTES = 32 * 1024 * 1024


class Staged(msgspec.Struct, frozen=True):
    """A compiled file on this disk."""

    file: IO[bytes]
    sha256: str
    size: int
    crc32c: str


class Bucket:
    """The bucket, or a folder in it, that an operator named."""

    def __init__(self, account: Account, address: str) -> None:
        self._account = account
        self.name, _, folder = address.removeprefix("gs://").strip("/").partition("/")
        self._folder = f"{folder}/" if folder else ""

    async def put(self, source: ExampleSource, kind: DatasetKind, compiler: Compiler) -> str:
        """The `gs://` address of the compiled examples; bytes that are there are not sent again.

        Raises `Never` where an example cannot be compiled.
        """
        with tempfile.TemporaryFile() as file:
            staged = await self._compile(source, kind, compiler, file)
            with staging(self.name):
                # What says what an error means is loaded with it, and never by two threads at once.
                await self._account.open()
                return await self._account.run(self._ensure, staged)

    async def _compile(
        self, source: ExampleSource, kind: DatasetKind, compiler: Compiler, file: IO[bytes]
    ) -> Staged:
        digest, checksum = hashlib.sha256(), _Checksum()
        with compiler:
            async for lines in _batches(source):
                data = await self._account.run(_compiled, compiler, kind, lines)
                digest.update(data)
                checksum.update(data)
                await self._account.run(file.write, data)
        return Staged(file, digest.hexdigest(), file.tell(), str(checksum))

    def _ensure(self, staged: Staged) -> str:
        name = f"{self._folder}luthier/{staged.sha256}.jsonl"
        # Its library says int where it takes more, and Retry where None is one answer.
        blob: Any = self._account.storage.bucket(self.name).blob(name, chunk_size=CHUNK_BYTES)
        if not _is_there(blob, staged):
            _upload(blob, staged)
        return f"gs://{self.name}/{name}"


def _is_there(blob: Any, staged: Staged) -> bool:
    from google.api_core.exceptions import NotFound

    try:
        blob.reload(timeout=UPLOAD_SECONDS, retry=None)
    except NotFound:
        return False
    if (blob.size, blob.crc32c) != (staged.size, staged.crc32c):
        raise Never(
            f"gs://{blob.bucket.name}/{blob.name} is not what its name says.",
            code="staged_file_altered",
            hint="Remove the object from the bucket, then retry the job.",
        )
    return True


def _upload(blob: Any, staged: Staged) -> None:
    from google.api_core.exceptions import PreconditionFailed

    staged.file.seek(0)
    try:
        blob.upload_from_file(
            staged.file,
            size=staged.size,
            content_type="application/jsonl",
            if_generation_match=0,
            checksum="crc32c",
            timeout=UPLOAD_SECONDS,
            retry=None,
        )
    except PreconditionFailed:
        # Another attempt with the same bytes was faster.
        _is_there(blob, staged)


def _compiled(compiler: Compiler, kind: DatasetKind, lines: Sequence[bytes]) -> bytes:
    compiled = compiler.compile([decode_example(line, kind) for line in lines])
    for one in compiled:
        if one.errors:
            raise Never(
                f"An example cannot be sent to Gemini: {one.errors[0].message}",
                code="dataset_unfit",
                hint="Compile the dataset for this provider: every such line is named.",
            )
    return b"".join(one.data + b"\n" for one in compiled)


async def _batches(source: ExampleSource) -> AsyncIterator[Sequence[bytes]]:
    """Whole lines, many at a time."""
    pieces, lines = list[bytes](), list[bytes]()
    async for chunk in source.chunks():
        head, end, rest = chunk.rpartition(b"\n")
        if not end:
            pieces.append(chunk)
            continue
        lines += [line for line in b"".join([*pieces, head]).split(b"\n") if line]
        pieces = [rest]
        if len(lines) >= LINES_AT_A_TIME:
            yield lines
            lines = []
    lines += [line for line in [b"".join(pieces)] if line]
    if lines:
        yield lines


class _Checksum:
    """CRC32C in Google's spelling: base 64 of the big-endian value."""

    def __init__(self) -> None:
        from google_crc32c import Checksum

        self._checksum = Checksum()

    def update(self, data: bytes) -> None:
        self._checksum.update(data)

    def __str__(self) -> str:
        return base64.b64encode(self._checksum.digest()).decode()
