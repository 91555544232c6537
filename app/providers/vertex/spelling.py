"""Google's JSON in camel case: its servers take `system_instruction` as well."""

import re
from typing import Any, cast

_OPAQUE = frozenset({"args", "response", "parameters", "parametersJsonSchema"})
"""What is somebody else's: arguments, results and schemas."""

_AFTER_UNDERSCORE = re.compile(r"_([a-z])")


def camel(value: Any) -> Any:
    """The value with every key of Google's in camel case, as deep as the keys are Google's."""
    if isinstance(value, dict):
        named = {camel_key(key): inner for key, inner in cast("dict[str, Any]", value).items()}
        return {key: inner if key in _OPAQUE else camel(inner) for key, inner in named.items()}
    if isinstance(value, list):
        return [camel(inner) for inner in cast("list[Any]", value)]
    return value


def camel_key(key: str) -> str:
    """`any_of` is `anyOf`."""
    return _AFTER_UNDERSCORE.sub(lambda found: found[1].upper(), key)
