"""Requests made from a description alone: every operation can be asked, whatever it is called."""

from typing import Any

import httpx

from tests.api.given import Json


async def ask(
    client: httpx.AsyncClient,
    description: Json,
    operation: tuple[str, str, Json],
    *,
    ids: dict[str, str],
    prefix: str = "",
    headers: dict[str, str],
) -> httpx.Response:
    """The answer to an operation on these objects, with a body that its shape allows."""
    method, template, told = operation
    kinds = told.get("requestBody", {}).get("content", {})
    sent: dict[str, Any] = {}
    if "application/json" in kinds:
        sent["json"] = sample(description, kinds["application/json"]["schema"])
    elif "multipart/form-data" in kinds:
        sent["files"] = {"data": ("a", b"a"), "file": ("a", b"a")}
        sent["data"] = {"purpose": "fine-tune", "name": "a"}
    query = {
        one["name"]: sample(description, one["schema"])
        for one in told.get("parameters", [])
        if one["in"] == "query" and one.get("required")
    }
    path = prefix + filled(template, ids)
    return await client.request(method, path, params=query, headers=headers, **sent)


def filled(template: str, ids: dict[str, str]) -> str:
    """The path on these objects: what a path names in braces is the object of its room."""
    parts = template.split("/")
    for number, part in enumerate(parts):
        if part.startswith("{"):
            room = next(
                one for one in reversed(parts[:number]) if not one.startswith(("{", "model_"))
            )
            parts[number] = ids[room]
    return "/".join(parts)


def sample(description: Json, shape: Json) -> Any:
    """The smallest value of a shape."""
    if "$ref" in shape:
        return sample(description, description["components"]["schemas"][_name(shape["$ref"])])
    if shape.get("examples"):
        return shape["examples"][0]
    for given in ("const", "default"):
        if given in shape:
            return shape[given]
    if "enum" in shape:
        return shape["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in shape:
            return sample(description, shape[choice][0])
    return _plain(description, shape)


def _plain(description: Json, shape: Json) -> Any:
    match shape.get("type"):
        case "object":
            wanted = shape.get("required", [])
            return {name: sample(description, shape["properties"][name]) for name in wanted}
        case "array":
            return [sample(description, shape["items"])] * shape.get("minItems", 0)
        case "integer" | "number":
            return shape.get("minimum", 1)
        case "boolean":
            return False
        case "string":
            return "a" * max(1, shape.get("minLength", 1))
        case _:
            return {}


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[1]
