"""Examples on their way to the vendor: compiled into a file that lies ready to be sent."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO

from app.domain.compiling import Compiler
from app.domain.datasets import DatasetKind
from app.domain.errors import Never
from app.domain.examples import decode_example
from app.domain.provider import ExampleSource

_BATCH_BYTES = 1024 * 1024


class SentFile:
    """A compiled file on disk; its name says what is in it."""

    def __init__(self, folder: str) -> None:
        self._hash = hashlib.sha256()
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self.size = 0

    @property
    def name(self) -> str:
        """The same for the same bytes, and only for them."""
        return f"luthier-{self._hash.hexdigest()[:40]}.jsonl"

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._hash.update(data)
        self.size += self.file.write(data)

    def close(self) -> None:
        """Remove it from the disk."""
        self.file.close()


async def compiled(
    source: ExampleSource, compiler: Compiler, kind: DatasetKind, *, folder: str
) -> SentFile:
    """The compiler's very bytes; raises `Never` for an example that would be refused."""
    sent = SentFile(folder)
    sent.write(compiler.prefix)
    try:
        async for lines in _batches(source):
            await asyncio.to_thread(_write, sent, compiler, kind, lines)
    except BaseException:
        sent.close()
        raise
    return sent


async def _batches(source: ExampleSource) -> AsyncIterator[list[bytes]]:
    rest = b""
    async for chunk in source.chunks():
        rest += chunk
        if len(rest) >= _BATCH_BYTES:
            *lines, rest = rest.split(b"\n")
            yield lines
    yield rest.split(b"\n")


def _write(sent: SentFile, compiler: Compiler, kind: DatasetKind, lines: Sequence[bytes]) -> None:
    for line in compiler.compile([decode_example(line, kind) for line in lines if line]):
        if line.errors:
            fault = line.errors[0]
            raise Never(
                f"An example would be refused: {fault.message}",
                code="dataset_unfit",
                hint="Mend the dataset; POST /datasets/{id}/compile names the lines.",
            )
        sent.write(line.data + b"\n")
