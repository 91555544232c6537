"""Saying what is wrong with a row that is no JSON, so that whoever made it can find it."""

import json
import re

from app.domain.examples import RowInvalid

NUMBER_TOO_LARGE = ("Number out of range", "Integer value out of range")

_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class _NotANumber(Exception):
    """`NaN`, `Infinity` or `-Infinity`, which JSON does not have."""


def why_not_json(line: bytes, error: Exception) -> RowInvalid:
    """The verdict on a line that cannot be decoded."""
    try:
        text = line.decode()
    except UnicodeDecodeError as wrong:
        return RowInvalid(
            "not_utf8",
            f"Byte {wrong.start + 1} of the line is not UTF-8; save the file as UTF-8.",
        )
    try:
        json.loads(text, parse_constant=_refuse)
    except _NotANumber as constant:
        return RowInvalid("not_finite", f"JSON has no `{constant}`; use null or leave the key out.")
    except json.JSONDecodeError as wrong:
        return _at_its_place(wrong)
    except (ValueError, RecursionError):
        pass
    if _SURROGATE.search(line):
        return RowInvalid(
            "lone_surrogate", r"Half of a surrogate pair (\ud800 to \udfff) is no character."
        )
    return RowInvalid("not_json", f"Not JSON: {error}.")


def too_deep() -> RowInvalid:
    """The verdict on a row that is nested without end."""
    return RowInvalid("row_too_deep", "The row is nested too deeply; flatten it.")


def _refuse(constant: str) -> None:
    raise _NotANumber(constant)


def _at_its_place(wrong: json.JSONDecodeError) -> RowInvalid:
    if wrong.msg.startswith("Invalid control character"):
        character = ord(wrong.doc[wrong.pos])
        return RowInvalid(
            "control_character",
            f"Character {wrong.pos + 1} is the control character U+{character:04X}; JSON writes "
            f"it as \\u{character:04x}.",
        )
    return RowInvalid("not_json", f"Not JSON: {wrong.msg} (character {wrong.pos + 1}).")
