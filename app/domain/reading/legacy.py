"""OpenAI's first way to call functions, before tools had ids: read as calls of tools."""

from typing import Any

from app.domain.examples import RowInvalid

Json = dict[str, Any]


def may_be_legacy(line: bytes) -> bool:
    """Whether a row names functions as they were named before there were tools."""
    return b'"function_call"' in line or b'"functions"' in line


def with_tool_calls(row: Json) -> Json:
    """The row with tools for `functions` and calls of tools for `function_call`.

    A call's id is `call_` with the number of its message, and the answer must follow the call.
    """
    modern = {name: value for name, value in row.items() if name != "functions"}
    if "functions" in row:
        if "tools" in row:
            raise RowInvalid("row_shape", "The row has both `tools` and `functions`.")
        modern["tools"] = _tools(row["functions"])
    if isinstance(row["messages"], list):
        modern["messages"] = _messages(row["messages"])
    return modern


def _tools(functions: Any) -> Any:
    if not isinstance(functions, list):
        return functions
    return [{"type": "function", "function": function} for function in functions]


def _messages(messages: list[Any]) -> list[Any]:
    modern: list[Any] = []
    called: Json | None = None
    for number, message in enumerate(messages):
        if not isinstance(message, dict):
            modern.append(message)
        elif message.get("role") == "function":
            modern.append(_answer(message, called, number))
        else:
            modern.append(_call(message, number))
        called = modern[-1]
    return modern


def _call(message: Json, number: int) -> Json:
    if "function_call" not in message:
        return message
    if message.get("tool_calls") is not None:
        raise RowInvalid(
            "row_shape", f"`messages[{number}]` has both `tool_calls` and `function_call`."
        )
    modern = {name: value for name, value in message.items() if name != "function_call"}
    if message["function_call"] is not None:
        modern["tool_calls"] = [{"id": f"call_{number}", "function": message["function_call"]}]
    return modern


def _answer(message: Json, called: Any, number: int) -> Json:
    match called:
        case {"tool_calls": [{"id": str(call), "function": {"name": str(name)}}]}:
            if message.get("name") == name:
                rest = {key: value for key, value in message.items() if key != "name"}
                return rest | {"role": "tool", "tool_call_id": call}
        case _:
            pass
    raise RowInvalid(
        "tool_call_id",
        f"`messages[{number}]`: a function's answer follows its call and bears the same `name`.",
    )
