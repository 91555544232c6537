"""Tables: lists as CSV, in a way that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

CSV = "text/csv"


def csv_rows(rows: Iterable[Iterable[Any]]) -> str:
    """Lines of CSV with these values."""
    lines = io.StringIO()
    csv.writer(lines).writerows([_cell(value) for value in row] for row in rows)
    return lines.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = "" if value is None else str(value)
    is_number = isinstance(value, (int, Decimal))
    # A spreadsheet takes a text that begins like this for a formula, and tags are anybody's.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not is_number else text
