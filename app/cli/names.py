"""How things are called in a line: a dataset's version, a base model at its provider."""

from typing import Any


def version(dataset: dict[str, Any] | None) -> str:
    """`name@3`, or nothing for an import that came without its file."""
    return f"{dataset['name']}@{dataset['version']}" if dataset else ""


def minute(moment: str) -> str:
    """A moment of the wire, as long as a list has room for."""
    return moment[:16].replace("T", " ")


def base_model(thing: dict[str, Any]) -> str:
    """`provider/base_model` of a job, a model or a quote."""
    return f"{thing['provider']}/{thing['base_model']}"
