"""The service's own description: what FastAPI cannot see of it, and names that read well."""

from collections.abc import Iterator
from typing import Any

from app.api import dataset_uploads, problems, roles, webhook_messages

_PLACES = {
    "job_id": "The job's id.",
    "evaluation_id": "The evaluation's id.",
    "comparison_id": "The comparison's id.",
    "key_id": "The key's id.",
    "project_id": "The project's id.",
    "webhook_id": "The webhook's id.",
    "delivery_id": "The delivery's id.",
}
_REFERENCES = {
    "datasets": "Id, `name` (its newest version) or `name@3`.",
    "models": "A tuned model's id, an alias or `provider/base_model`.",
}
_NAMES = {
    "providers": "The provider's name.",
    "aliases": "The alias.",
    "dataset-templates": "The template's name.",
}


def describe(schema: dict[str, Any]) -> None:
    """Complete the description that FastAPI made."""
    problems.describe(schema)
    roles.describe(schema)
    webhook_messages.describe(schema)
    schema["components"]["schemas"] |= dataset_uploads.COMPONENTS
    _call_by_title(schema)
    for path, parameter in _path_parameters(schema):
        room = path.split("/")[1]
        said = {"ref": _REFERENCES.get(room), "name": _NAMES.get(room)} | _PLACES
        if said.get(parameter["name"]):
            parameter.setdefault("description", said[parameter["name"]])


def _call_by_title(schema: dict[str, Any]) -> None:
    """`JobPage` for what FastAPI calls `Page_JobOut_`: clients are generated from these names."""
    components = schema["components"]["schemas"]
    titles = {name: shape["title"] for name, shape in components.items() if "_" in name}
    for name, title in titles.items():
        components[title] = components.pop(name)
    renamed = {_reference(name): _reference(title) for name, title in titles.items()}
    for part in _parts(schema):
        if part.get("$ref") in renamed:
            part["$ref"] = renamed[part["$ref"]]


def _reference(name: str) -> str:
    return f"#/components/schemas/{name}"


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in the description, however deep."""
    if isinstance(part, dict):
        yield part
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for one in inner:
        yield from _parts(one)


def _path_parameters(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    yield path, parameter
