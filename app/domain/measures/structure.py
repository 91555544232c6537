"""Answers with a structure: JSON by its fields, calls of tools by name and arguments."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec

from app.domain.examples import ToolCall
from app.domain.measures.words import balanced

MAX_FIELDS = 10_000
"""No expected answer has as many; a repeating model may write on without an end."""


def json_valid(output: str) -> float:
    """1.0 where the answer is JSON and nothing besides, else 0.0."""
    return float(is_json(output))


def json_fields(output: str, expected: str) -> float:
    """F1 over the fields of the expected JSON: a field is right with the same path and value.

    Items of a list are fields of one path in any order; an answer that is no JSON scores 0.
    """
    if not is_json(output):
        return 0.0
    said, wanted = (_fields(json.loads(text)) for text in (output, expected))
    shared = sum((said & wanted).values())
    return balanced(shared, said=said.total(), wanted=wanted.total())


def is_structured(text: str) -> bool:
    """Whether the text is a JSON object or list, which has fields to compare."""
    return text.lstrip()[:1] in ("{", "[") and is_json(text)


def is_json(text: str) -> bool:
    """Whether the text is JSON as RFC 8259 has it, which knows no NaN."""
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def tool_calls(said: Sequence[ToolCall], wanted: Sequence[ToolCall]) -> float:
    """F1 over calls: one is right with the same name and the same arguments, in any order."""
    if not said or not wanted:
        return float(not said and not wanted)
    shared = sum((_calls(said) & _calls(wanted)).values())
    return balanced(shared, said=len(said), wanted=len(wanted))


def _calls(calls: Sequence[ToolCall]) -> Counter[tuple[str, str]]:
    return Counter((call.function.name, _normal(call.function.arguments)) for call in calls)


def _normal(arguments: str) -> str:
    """Arguments in one spelling; those that are no JSON as they stand."""
    return _key(json.loads(arguments)) if is_json(arguments) else arguments


def _fields(value: Any) -> Counter[tuple[str, str]]:
    fields: Counter[tuple[str, str]] = Counter()
    for number, field in enumerate(_walk(value, "")):
        if number == MAX_FIELDS:
            break
        fields[field] += 1
    return fields


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each leaf with its path; an empty object or list is a leaf too."""
    if isinstance(value, dict) and value:
        for name, inner in cast("dict[str, Any]", value).items():
            yield from _walk(inner, f"{path}/{name}")
    elif isinstance(value, list) and value:
        for inner in cast("list[Any]", value):
            yield from _walk(inner, f"{path}/*")
    else:
        yield path, _key(value)


def _key(value: Any) -> str:
    """JSON in one order of keys, with 1 and 1.0 as one number, and true not among them."""
    return msgspec.json.encode(_plain(value), order="deterministic").decode()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in cast("list[Any]", value)]
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
