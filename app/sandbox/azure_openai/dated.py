"""Answers of the dated surface (2024-10-21), which words much in its own way."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.sandbox.frame.exchange import Asked, Reply

Shape = dict[str, Any]

_STATUSES: Mapping[str, str] = {"pending": "created", "queued": "pending"}
_NUMBERS = ("n_epochs", "batch_size", "learning_rate_multiplier")
_UNKNOWN = ("method", "metadata", "integrations", "user_provided_suffix", "organization_id")
_FAR = 1_900_000_000
_LEVELS: Mapping[str, str] = {"warn": "warning"}


def told(
    handle: Callable[[Asked], Reply], shape: Callable[[Shape], Shape], *, status: int = 200
) -> Callable[[Asked], Reply]:
    """A handler whose answer is put into another shape."""

    def answer(asked: Asked) -> Reply:
        (value,) = handle(asked).values()
        return Reply.of(shape(value), status=status)

    return answer


def paged(shape: Callable[[Shape], Shape]) -> Callable[[Shape], Shape]:
    """A list of such shapes, without the ends that this surface does not name."""

    def pages(listed: Shape) -> Shape:
        page = {"object": "list", "data": [shape(item) for item in listed["data"]]}
        return page | ({"has_more": listed["has_more"]} if "has_more" in listed else {})

    return pages


def job(shape: Shape) -> Shape:
    """`organisation_id` with an s, a suffix, hyperparameters at the top; no method, no metadata."""
    given: Shape = {
        "status": _STATUSES.get(shape["status"], shape["status"]),
        "organisation_id": shape["organization_id"],
        "suffix": shape["user_provided_suffix"],
        "hyperparameters": _numbers(shape["hyperparameters"]),
        "error": _present(shape["error"] or {}) or None,
    }
    rest = {name: value for name, value in shape.items() if name not in _UNKNOWN}
    return _present(rest | given)


def file(shape: Shape) -> Shape:
    """The same without an end."""
    return {name: value for name, value in shape.items() if name != "expires_at"}


def files(listed: Shape) -> Shape:
    """All at once: this list has no pages."""
    return {"object": "list", "data": [file(item) for item in listed["data"]]}


def event(shape: Shape) -> Shape:
    """The same with its own word for a warning."""
    return shape | {"level": _LEVELS.get(shape["level"], shape["level"])}


def checkpoint(shape: Shape) -> Shape:
    """The same."""
    return shape


def model(shape: Shape, *, base: str | None) -> Shape:
    """What it can do, and until when; `base` is what it was tuned from."""
    end = shape["shutdown_date"]
    given = {
        "model": base,
        "created_at": shape["created"],
        "status": "succeeded",
        "capabilities": _capabilities(fine_tune=True),
        "deprecation": {name: _second(end) for name in ("fine_tune", "inference")},
    }
    return _present({**given, **_named(shape["id"])})


def other(name: str, is_tunable: bool) -> Shape:
    """A model that the simulator does not train."""
    given = {
        "capabilities": _capabilities(fine_tune=is_tunable),
        "deprecation": {"inference": _FAR},
    }
    return {**given, **_named(name)}


def _named(name: str) -> Shape:
    return {"object": "model", "id": name, "lifecycle_status": "generally-available"}


def _capabilities(*, fine_tune: bool) -> Shape:
    can = {"completion": False, "embeddings": False, "chat_completion": True}
    return can | {"fine_tune": fine_tune, "inference": True}


def _second(day: str | None) -> int:
    """Midnight of a day in seconds since 1970; far off where none was announced."""
    return _FAR if day is None else int(datetime.fromisoformat(f"{day}T00:00:00Z").timestamp())


def _numbers(hyperparameters: Shape) -> Shape:
    return {name: hyperparameters[name] for name in _NUMBERS if name in hyperparameters}


def _present(shape: Mapping[str, Any]) -> Shape:
    """What is not known is not there: this surface knows no null."""
    return {name: value for name, value in shape.items() if value is not None}
