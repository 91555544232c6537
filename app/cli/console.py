"""What the commands share: one console, rows and fields, and a last line that says what to do."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)

ANY_WIDTH = 10_000

PROSE_WIDTH = 30

_UNPRINTABLE = dict.fromkeys((*range(9), *range(11, 32), 127))
"""Control characters, which could steer a terminal; a tab and a new line may stay."""


def fail(message: str) -> NoReturn:
    """End the command with a message for a person."""
    complain(message)
    sys.exit(2)


def complain(message: str, *details: str) -> None:
    """Lines for a person that are not the command's output."""
    console = Console(stderr=True, highlight=False)
    console.print("[red]luthier:[/red]", escape(_printable(message)), soft_wrap=True)
    for detail in details:
        console.print(f"  {_printable(detail)}", soft_wrap=True, markup=False)


def remark(message: str) -> None:
    """What a person likes to know beside the output, and a program does not."""
    console = Console(stderr=True, highlight=False)
    console.print(_printable(message), soft_wrap=True, markup=False, style="dim")


def say(message: str, *, style: str = "", end: str = "\n") -> None:
    """A line of the output, with no character that could steer a terminal."""
    out.print(Text(_printable(message), style=style), soft_wrap=True, end=end)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a person; for a program lines with tabs between the cells, and no heading."""
    cells = [[_cell(value).replace("\n", " ") for value in row] for row in rows]
    if out.is_terminal:
        table = _table(columns, cells)
        # A terminal that is too narrow wraps whole lines: an id in pieces could not be copied.
        whole = Measurement.get(out, out.options.update(max_width=ANY_WIDTH), table)
        table.width = whole.minimum if whole.minimum > out.width else None
        out.print(table, crop=False)
    else:
        for row in cells:
            print("\t".join(row))


def print_fields(fields: Mapping[str, object]) -> None:
    """One line for each field that has a value."""
    shown = {name: _cell(value) for name, value in fields.items() if _cell(value)}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        say(f"{name:<{width}}  {value}")


def show_more(page: Mapping[str, Any]) -> None:
    """Say how to see the rest of a list."""
    if page["next_cursor"]:
        remark(f"There is more: --cursor {page['next_cursor']}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Only the last column folds where there is little room."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    *names, prose = columns
    for name in names:
        table.add_column(name, no_wrap=True)
    longest = max((len(row[-1]) for row in rows), default=0)
    table.add_column(prose, overflow="fold", min_width=min(longest, PROSE_WIDTH))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _printable(str(value))


def _printable(text: str) -> str:
    return text.translate(_UNPRINTABLE)
