"""What Azure asks of graders beyond their shapes."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from app.domain.errors import Fault
from app.domain.jobs import Method


def faults(method: Method) -> list[Fault]:
    """Graders that run code, which Azure does not take."""
    grader = method.hyperparameters.get("grader")
    kinds = set(_kinds(grader))
    if "python" not in kinds:
        return []
    text = "Azure takes no graders of type python: use one that compares, or one that asks a model."
    return [Fault("grader_not_supported", text, "/method/hyperparameters/grader")]


def _kinds(grader: Any) -> Iterator[str]:
    """The type of a grader, and those of the graders inside it."""
    if not isinstance(grader, Mapping):
        return
    known = cast("Mapping[str, Any]", grader)
    yield str(known.get("type"))
    inner = known.get("graders")
    if isinstance(inner, Mapping):
        yield from _kinds(inner)
        for one in cast("Mapping[str, Any]", inner).values():
            yield from _kinds(one)
