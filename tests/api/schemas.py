"""As much of JSON Schema as our description uses: what in an answer does not fit, and where."""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

KINDS: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}

ANNOTATIONS = {"title", "description", "default", "examples", "format"}
CHECKED = {
    "$ref", "anyOf", "type", "enum", "properties", "required", "items", "additionalProperties"
}  # fmt: skip


def misfits(description: Json, schema: Json, value: Any, where: str = "") -> Iterator[str]:
    """Each place where the value is not what the schema says; unnamed properties count."""
    assert not schema.keys() - ANNOTATIONS - CHECKED, f"unchecked words in {schema}"
    if "$ref" in schema:
        yield from misfits(description, named(description, schema["$ref"]), value, where)
        return
    if "anyOf" in schema:
        tries = [list(misfits(description, one, value, where)) for one in schema["anyOf"]]
        if [] not in tries:
            yield f"{where}: {value!r} fits none of {tries}"
        return
    if not _is_kind(schema.get("type"), value):
        yield f"{where}: {value!r} is not of type {schema['type']}"
    elif value not in schema.get("enum", [value]):
        yield f"{where}: {value!r} is none of {schema['enum']}"
    elif schema.get("format") == "date-time" and not MOMENT.fullmatch(value):
        yield f"{where}: {value!r} is no moment in UTC"
    elif isinstance(value, dict):
        yield from _object_misfits(description, schema, value, where)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from misfits(description, schema["items"], item, f"{where}/{number}")


def named(description: Json, reference: str) -> Json:
    """The schema that a `$ref` means."""
    return description["components"]["schemas"][reference.removeprefix("#/components/schemas/")]


def _is_kind(kind: str | None, value: Any) -> bool:
    if kind is None:
        return True
    is_bool = isinstance(value, bool)
    return isinstance(value, KINDS[kind]) and (not is_bool or kind == "boolean")


def _object_misfits(description: Json, schema: Json, value: Json, where: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}/{name} is missing"
    for name, inner in value.items():
        rest = schema.get("additionalProperties", False)
        if name in properties:
            yield from misfits(description, properties[name], inner, f"{where}/{name}")
        elif isinstance(rest, dict):
            yield from misfits(description, rest, inner, f"{where}/{name}")
        elif not rest:
            yield f"{where}/{name} is not described"
