"""What a training was made of, by hashes: kept with it, so that it can be told and repeated."""

import hashlib
from collections.abc import Iterable

import msgspec


class SentRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one side as the provider takes them; hashes are SHA-256, as hex.

    `sha256` is of the whole file, `rows_sha256` of the hashes of its lines (32 bytes each, in
    order, a line without its end): the same for the same rows, whatever frames them.
    """

    dataset_sha256: str
    examples: int
    sha256: str
    rows_sha256: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to the provider for a job; `versions` are those that sent it."""

    compiler: str
    """The fingerprint of what made the rows."""

    training: SentRows
    validation: SentRows | None = None
    versions: dict[str, str] = {}


class BaseSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Which state of a base model it was: a commit of the hub, the SHA-256 of its weights."""

    revision: str | None = None
    sha256: str | None = None


class RowHashes:
    """Give compiled lines in order to `feed`; memory does not grow with them."""

    def __init__(self, prefix: bytes) -> None:
        self.bytes = len(prefix)
        self._file = hashlib.sha256(prefix)
        self._rows = hashlib.sha256()

    def feed(self, lines: Iterable[bytes]) -> None:
        """Take the next lines, without their ends."""
        for line in lines:
            self.bytes += len(line) + 1
            self._file.update(line + b"\n")
            self._rows.update(hashlib.sha256(line).digest())

    @property
    def sha256(self) -> str:
        """Of the whole file."""
        return self._file.hexdigest()

    @property
    def rows_sha256(self) -> str:
        """Of the hashes of its lines."""
        return self._rows.hexdigest()
