"""The bounds that OpenAI sets to hyperparameters, by its published contract."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.frame.exchange import Refused

# Name: the least, whether it is allowed itself, the most.
_BOUNDS: Mapping[str, tuple[float, bool, float]] = {
    "n_epochs": (1, True, 50),
    "batch_size": (1, True, 256),
    "learning_rate_multiplier": (0, False, float("inf")),
    "beta": (0, False, 2),
    "compute_multiplier": (0.00001, False, 10),
    "eval_interval": (1, True, float("inf")),
    "eval_samples": (1, True, float("inf")),
}


def chosen(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The method and its hyperparameters as asked for, the deprecated place included.

    Raises `Refused` where one is out of bounds.
    """
    method = body.get("method")
    if method is None:
        return "supervised", _within("hyperparameters", body.get("hyperparameters", {}))
    kind = method["type"]
    asked = method.get(kind, {}).get("hyperparameters", {})
    return kind, _within(f"method.{kind}.hyperparameters", asked)


def grader_of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The grader of a reinforcement, which it must have; None for the other methods."""
    method = body.get("method", {})
    if method.get("type") != "reinforcement":
        return None
    grader = method.get("reinforcement", {}).get("grader")
    if grader is None:
        raise Refused(400, "A grader is required", param="method.reinforcement.grader")
    return grader


def _within(place: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in asked.items():
        if name in _BOUNDS and value != "auto" and not _fits(name, value):
            least, _, most = _BOUNDS[name]
            raise Refused(
                400,
                f"{value} is not between {least} and {most}",
                code="invalid_value",
                param=f"{place}.{name}",
            )
    return dict(asked)


def _fits(name: str, value: float) -> bool:
    least, is_least_allowed, most = _BOUNDS[name]
    return (value >= least if is_least_allowed else value > least) and value <= most
