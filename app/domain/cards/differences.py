"""In what two cards, or any two JSON values, differ."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

Leaf = str | int | float | bool | None


class Change(msgspec.Struct, frozen=True, rename={"before": "from", "after": "to"}):
    """One place (a JSON pointer, RFC 6901) at which they differ; None is what is not there."""

    pointer: str
    before: Leaf
    after: Leaf


def differences(before: Any, after: Any, pointer: str = "") -> Iterator[Change]:
    """Every single value that differs, in the order of the first; items are compared by place.

    What is there on one side alone is told value by value; that it is empty is no difference.
    """
    if _has_parts(before) or _has_parts(after):
        old, new = _parts(before), _parts(after)
        for name in [*old, *(name for name in new if name not in old)]:
            step = name.replace("~", "~0").replace("/", "~1")
            yield from differences(old.get(name), new.get(name), f"{pointer}/{step}")
    if not _is_same(_leaf(before), _leaf(after)):
        yield Change(pointer, _leaf(before), _leaf(after))


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict | list)


def _parts(value: Any) -> Mapping[str, Any]:
    if isinstance(value, list):
        return {str(place): item for place, item in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _leaf(value: Any) -> Leaf:
    return None if _has_parts(value) else value


def _is_same(one: Leaf, other: Leaf) -> bool:
    return one == other and isinstance(one, bool) is isinstance(other, bool)
