"""Odd names of columns and what they stand for."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from app.domain.examples import RowInvalid

KNOWN = frozenset(
    {
        "messages",
        "tools",
        "parallel_tool_calls",
        "functions",
        "system",
        "prompt",
        "completion",
        "instruction",
        "input",
        "output",
        "history",
        "conversations",
        "chosen",
        "rejected",
        "preferred_output",
        "non_preferred_output",
        "preferred_completion",
        "non_preferred_completion",
    }
)
"""The names that some form of a row knows."""

_JSON = frozenset(
    {"messages", "conversations", "tools", "parallel_tool_calls", "functions", "history"}
)
_JSON_BESIDE = {
    "conversations": {"chosen", "rejected"},
    "preferred_output": {"input", "preferred_output", "non_preferred_output"},
    "preferred_completion": {"input", "preferred_completion", "non_preferred_completion"},
}
"""What holds JSON only because another column says which form it is."""


def json_columns(names: Collection[str | None]) -> frozenset[str]:
    """Which columns hold JSON where they hold text, in a file with these columns.

    The others hold text as it is, whatever it looks like.
    """
    return _JSON.union(*(beside for name, beside in _JSON_BESIDE.items() if name in names))


class Columns(msgspec.Struct, frozen=True):
    """The file's names on the left; on the right one that is known, or None to leave it out."""

    names: Mapping[str, str | None] = {}

    def __bool__(self) -> bool:
        return bool(self.names)

    def meaning(self, name: str) -> str | None:
        """What a column stands for; None for one to leave out."""
        return self.names.get(name, name)

    def rename(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row under known names; raises `RowInvalid` where two columns get the same one."""
        renamed: dict[str, Any] = {}
        for name, value in row.items():
            meaning = self.meaning(name)
            if meaning is None:
                continue
            if meaning in renamed:
                raise RowInvalid("columns_clash", f"Two columns of this row are `{meaning}`.")
            renamed[meaning] = value
        return renamed
