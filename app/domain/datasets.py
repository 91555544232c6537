"""A dataset: a name that collects immutable versions of checked examples."""

import re
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.chance import seeded


class DatasetKind(StrEnum):
    """What one example is: a conversation, or a choice between two answers."""

    CHAT = "chat"
    PREFERENCE = "preference"


class DatasetRef(msgspec.Struct, frozen=True):
    """Which dataset version was meant, readable after the dataset itself is gone."""

    id: str
    name: str
    version: int


class DatasetSummary(msgspec.Struct, frozen=True):
    """What a provider needs to know of a dataset before it says yes."""

    kind: DatasetKind
    examples: int
    bytes: int


class DiffCounts(msgspec.Struct, frozen=True, kw_only=True):
    """In how many examples a version differs from another one."""

    added: int = 0
    removed: int = 0
    changed: int = 0

    def __add__(self, other: "DiffCounts") -> "DiffCounts":
        return DiffCounts(
            added=self.added + other.added,
            removed=self.removed + other.removed,
            changed=self.changed + other.changed,
        )


class MadeBy(msgspec.Struct, frozen=True, kw_only=True):
    """What made a version out of another: the operation, how it was asked for, what it did."""

    operation: str
    parameters: dict[str, Any] = {}
    counts: dict[str, int] = {}
    diff: DiffCounts = DiffCounts()


class Lineage(msgspec.Struct, frozen=True):
    """Where a version comes from; `parent` stays when that version is deleted."""

    parent: str
    made_by: MadeBy


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version; `sha256` and `bytes` are those of the canonical JSON Lines."""

    id: str
    name: str
    version: int
    kind: DatasetKind
    format: str
    examples: int
    bytes: int
    sha256: str
    tokens: int | None = None
    """Estimated tokens of all examples; None until the report has counted them."""

    rejected: int = 0
    """Rows that were set aside when the file came in."""

    rejected_sha256: str | None = None
    parent: str | None = None
    """The id of the version that this one was made of; None for an upload."""

    made_by: MadeBy | None = None
    created_at: int

    @property
    def ref(self) -> DatasetRef:
        return DatasetRef(self.id, self.name, self.version)

    @property
    def summary(self) -> DatasetSummary:
        return DatasetSummary(self.kind, self.examples, self.bytes)


NAME_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$"
"""What a dataset may be called; `@` is left for versions."""

_NAMED = re.compile(r"(?P<name>[a-zA-Z0-9][a-zA-Z0-9._-]{0,99})(@(?P<version>[1-9][0-9]{0,8}))?")


def parse_reference(reference: str) -> tuple[str, int | None] | None:
    """`name` or `name@3` as (name, version); None where it is neither."""
    match = _NAMED.fullmatch(reference)
    if match is None:
        return None
    version = match["version"]
    return match["name"], int(version) if version else None


def held_out_count(count: int, fraction: float) -> int:
    """How many rows a validation split sets aside; none for no fraction."""
    return max(min(max(round(count * fraction), 1), count - 1), 0) if fraction else 0


def held_out_rows(count: int, fraction: float, seed: int) -> frozenset[int]:
    """The 0-based rows that a validation split sets aside: the same for the same seed.

    At least one row on each side wherever there are two.
    """
    wanted = held_out_count(count, fraction)
    return frozenset(seeded(seed).sample(range(count), wanted))
