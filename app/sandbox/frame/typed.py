"""Values against the types of a vendor's own SDK, nothing undeclared let through."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError


def complaints(declared: Any, value: Any) -> list[str]:
    """What is wrong with a value, each with its place; `declared` None means: nothing may come."""
    if declared is None:
        return [] if not value else [f"nothing is declared here, and {value!r} came"]
    try:
        # The SDK's types say Iterable, which pydantic checks as it is walked and not before.
        return list(_undeclared(value, _adapter(declared).validate_python(value), ""))
    except ValidationError as error:
        return [
            f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}"
            for entry in error.errors(include_url=False)
        ]


@cache
def _adapter(declared: Any) -> TypeAdapter[Any]:
    return TypeAdapter(declared)


def _undeclared(value: Any, known: Any, place: str) -> Iterator[str]:
    """What was in the value and is not in what its type made of it."""
    if isinstance(value, Mapping):
        yield from _undeclared_fields(cast("Mapping[str, Any]", value), known, place)
    elif isinstance(value, list) and isinstance(known, Iterable):
        pairs = zip(cast("list[Any]", value), cast("Iterable[Any]", known), strict=False)
        for index, (item, known_item) in enumerate(pairs):
            yield from _undeclared(item, known_item, f"{place}{index}.")


def _undeclared_fields(value: Mapping[str, Any], known: Any, place: str) -> Iterator[str]:
    declared = _fields(known)
    for name, inner in value.items():
        if declared is None or name in declared:
            yield from _undeclared(inner, (declared or {}).get(name), f"{place}{name}.")
        else:
            yield f"{place}{name}: not declared"


def _fields(known: Any) -> Mapping[str, Any] | None:
    """The declared fields by their name on the wire; None where anything goes."""
    if isinstance(known, BaseModel):
        return {
            field.alias or name: getattr(known, name)
            for name, field in type(known).model_fields.items()
        }
    return cast("Mapping[str, Any]", known) if isinstance(known, Mapping) else None
