"""How things read in a line: a dataset's version, a base model at its provider, a figure."""

from typing import Any

import typer


def version(dataset: dict[str, Any] | None) -> str:
    """`name@3`, or nothing for an import that came without its file."""
    return f"{dataset['name']}@{dataset['version']}" if dataset else ""


def minute(moment: str) -> str:
    """A moment of the wire, as long as a list has room for."""
    return moment[:16].replace("T", " ")


def base_model(thing: dict[str, Any]) -> str:
    """`provider/base_model` of a job, a model or a quote."""
    return f"{thing['provider']}/{thing['base_model']}"


def target(text: str) -> dict[str, str]:
    """The parts of `provider/base_model`; a text without the slash ends the command."""
    provider, slash, base_model = text.partition("/")
    if not slash:
        raise typer.BadParameter(f"{text!r} is not PROVIDER/BASE_MODEL")
    return {"provider": provider, "base_model": base_model}


def number(value: float | None) -> str | None:
    """Three digits are all that a metric says."""
    return None if value is None else f"{value:.3f}"


def interval(found: dict[str, float] | None) -> str | None:
    """From where to where a mean may lie."""
    return None if found is None else f"{found['low']:.3f} to {found['high']:.3f}"
