"""Tools, their calls and their results in Google's form and back."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from app.domain.examples import ToolCall
from app.providers.vertex.findings import Findings
from app.providers.vertex.schemas import loss_of, translate

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
"""https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/FunctionDeclaration"""

DEEPEST = 32
"""How deeply arguments may be nested; Google's own parser gives up at a hundred messages."""

_EXACT = 2**53


def declarations(tools: Sequence[Mapping[str, Any]], findings: Findings) -> list[dict[str, Any]]:
    """Google's `tools` for OpenAI's."""
    declared = [one for tool in tools for one in _declaration(tool, findings)]
    return [{"functionDeclarations": declared}] if declared else []


def call_part(call: ToolCall, findings: Findings) -> dict[str, Any]:
    """One `functionCall`; arguments that are no object refuse the example."""
    _check_name(call.function.name, findings)
    arguments = _object(call.function.arguments or "{}")
    if arguments is None:
        findings.refuse(
            "tool_arguments",
            f"The arguments of {call.function.name} are no JSON object that Google could keep.",
        )
        return {"functionCall": {"name": call.function.name, "args": {}}}
    if any(_is_rounded(number) for number in _numbers(arguments)):
        findings.lose("number_precision")
    return {"functionCall": {"name": call.function.name, "args": arguments}}


def result_part(name: str, text: str) -> dict[str, Any]:
    """One `functionResponse`: an object as it stands, anything else under `output`."""
    found = _object(text)
    response = {"output": text} if found is None else found
    return {"functionResponse": {"name": name, "response": response}}


def tool_call(part: Mapping[str, Any], index: int) -> dict[str, Any]:
    """OpenAI's form of a `functionCall`; Google gives no id, so the place in the answer is one."""
    call = part["functionCall"]
    arguments = msgspec.json.encode(call.get("args") or {}).decode()
    return {
        "id": call.get("id") or f"call_{index}",
        "type": "function",
        "function": {"name": call.get("name", ""), "arguments": arguments},
    }


def _declaration(tool: Mapping[str, Any], findings: Findings) -> Iterator[dict[str, Any]]:
    function = tool.get("function")
    name = (
        cast("Mapping[str, Any]", function).get("name") if isinstance(function, Mapping) else None
    )
    if tool.get("type", "function") != "function" or not isinstance(name, str):
        findings.refuse(
            "tool_unsupported", "A tool is no function with a name; there are no others."
        )
        return
    _check_name(name, findings)
    said = cast("Mapping[str, Any]", function)
    if said.get("strict"):
        findings.lose("strict_lost")
    declared: dict[str, Any] = {"name": name}
    if isinstance(said.get("description"), str):
        declared["description"] = said["description"]
    parameters = said.get("parameters")
    if isinstance(parameters, Mapping) and parameters:
        translated = translate(cast("Mapping[str, Any]", parameters))
        declared["parameters"] = translated.schema
        findings.losses += loss_of(translated.lost, name)
    yield declared


def _check_name(name: str, findings: Findings) -> None:
    if not NAME.fullmatch(name):
        findings.refuse(
            "function_name",
            f"{name!r} is no name of a function: a letter or underscore, then at most 63 letters, "
            "digits, underscores, dots, colons or dashes.",
        )


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object of a text; None where there is none, or none that a Struct can hold."""
    try:
        found = msgspec.json.decode(text.encode(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if _depth(found) > DEEPEST or not all(_is_double(number) for number in _numbers(found)):
        return None
    return found


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        level = [inner for outer in level for inner in _inside(outer)]
        depth += 1
    return depth


def _numbers(value: Any) -> Iterator[int | float]:
    level = [value]
    while level:
        yield from (one for one in level if isinstance(one, (int, float)))
        level = [inner for outer in level for inner in _inside(outer)]


def _inside(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else ()


def _is_double(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _is_rounded(number: float) -> bool:
    return isinstance(number, int) and abs(number) > _EXACT and int(float(number)) != number
