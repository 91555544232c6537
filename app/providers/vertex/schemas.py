"""JSON Schemas of tools in the part of OpenAPI that Google's `Schema` carries, and back.

The fields are those of `google.cloud.aiplatform.v1.Schema`; whatever else a schema says is lost,
and is told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from app.domain.errors import Fault
from app.providers.vertex.spelling import camel_key

_TYPES = {
    name: name.upper() for name in ("string", "number", "integer", "boolean", "array", "object")
}

_MAPS = {"properties": "properties", "$defs": "defs", "definitions": "defs"}
_CHOICES = ("anyOf", "oneOf")

MOST_COUNT = 2**63 - 1


class Translated(msgspec.Struct):
    """A schema in Google's form, and the keywords that it cannot say."""

    schema: dict[str, Any]
    lost: list[str] = []


def translate(schema: Mapping[str, Any]) -> Translated:
    """The schema of a tool's parameters, as far as Google's form goes."""
    translated = Translated({})
    translated.schema = _schema(schema, translated.lost)
    return translated


def loss_of(lost: Sequence[str], tool: str) -> Iterator[Fault]:
    """What to tell of keywords that went lost."""
    if lost:
        named = ", ".join(sorted(set(lost)))
        yield Fault(
            "schema_keyword_lost", f"The parameters of tool {tool} say {named}; Gemini is not told."
        )


def restore(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of one of Google's; keywords of Google's alone stay as they are."""
    named = {camel_key(name): value for name, value in schema.items()}
    found = {_BACK.get(name, name): _restored(name, value) for name, value in named.items()}
    if isinstance(found.get("type"), str) and found.get("nullable") is True:
        del found["nullable"]
        found["type"] = [found["type"], "null"]
    return found


def _schema(schema: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    lost += [name for name in schema if name not in _KNOWN and name != "$schema"]
    found = _type(schema, lost) | _plain(schema, lost) | _enum(schema, lost)
    for name, theirs in _MAPS.items():
        inner = _mapping(schema.get(name))
        if inner:
            found[theirs] = {key: _inner(value, lost, name) for key, value in inner.items()}
    for name in _CHOICES:
        choices = [_inner(choice, lost, name) for choice in _sequence(schema.get(name))]
        if choices:
            found["anyOf"] = [*found.get("anyOf", []), *choices]
    if "items" in schema:
        found["items"] = _inner(schema["items"], lost, "items")
    return found


def _inner(value: Any, lost: list[str], keyword: str) -> dict[str, Any]:
    """The schema inside a keyword; `true` and lists of schemas have no counterpart."""
    if isinstance(value, Mapping):
        return _schema(cast("Mapping[str, Any]", value), lost)
    lost.append(keyword)
    return {}


def _type(schema: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    """`["string", "null"]` is a string that may be null; of several others any may be."""
    said = schema.get("type")
    names = [said] if isinstance(said, str) else _sequence(said)
    known = [_TYPES[name] for name in names if isinstance(name, str) and name in _TYPES]
    # The stable API has no type for null alone.
    may_be_null = "null" in names
    if len(known) + may_be_null < len(names):
        lost.append("type")
    found: dict[str, Any] = {}
    if may_be_null or schema.get("nullable") is True:
        found["nullable"] = True
    if len(known) == 1:
        found["type"] = known[0]
    elif known:
        found["anyOf"] = [{"type": name} for name in known]
    return found


def _plain(schema: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    """Keywords that keep their name, where their value is what Google takes."""
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name not in _KEPT:
            continue
        if _KEPT[name](value):
            found[name] = value
        else:
            lost.append(name)
    if isinstance(schema.get("$ref"), str):
        found["ref"] = "#/defs/" + schema["$ref"].rpartition("/")[2]
    return found


def _enum(schema: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    """Google's enums are texts."""
    if "enum" not in schema:
        return {}
    if _are_texts(schema["enum"]):
        return {"enum": schema["enum"]}
    lost.append("enum")
    return {}


def _restored(name: str, value: Any) -> Any:
    """The value of one of Google's keywords."""
    match name, value:
        case "type", str(word):
            return word.lower()
        case "ref", str(place):
            return "#/$defs/" + place.rpartition("/")[2]
        case "properties" | "defs", {**inner}:
            return {key: _restored("items", one) for key, one in inner.items()}
        case "anyOf", [*choices]:
            return [_restored("items", choice) for choice in choices]
        case "items" | "additionalProperties", {**inner}:
            return restore(inner)
        case _, str(digits) if name in _COUNTS and digits.isdecimal():
            # JSON carries Google's long numbers as text.
            return int(digits)
        case _:
            return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _sequence(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in cast("list[Any]", value))


def _is_number(value: Any) -> bool:
    # A whole number may be too large for the double that carries it.
    return not isinstance(value, bool) and isinstance(value, (int, float)) and abs(value) < 1e308


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_COUNT


_BACK = {"defs": "$defs", "ref": "$ref"}

_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")

_KEPT: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("title", "description", "format", "pattern"), _is_text),
    **dict.fromkeys(("minimum", "maximum"), _is_number),
    **dict.fromkeys(_COUNTS, _is_count),
    "required": _are_texts,
}

_KNOWN = frozenset({*_KEPT, *_MAPS, *_CHOICES, "type", "nullable", "enum", "items", "$ref"})
