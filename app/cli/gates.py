"""Gates on the command line: how one is asked for, and how one reads."""

from typing import Annotated, Any

import typer

from app.cli.remote import values

Gate = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="NAME=VALUE",
        help="Of a gate: metric, min_delta or non_inferiority_margin, confidence, guards; "
        "repeatable.",
    ),
]


def gate_wish(texts: list[str] | None) -> dict[str, Any] | None:
    """The gate that the options mean, if any do."""
    return values(texts) or None


def gate_words(gate: dict[str, Any] | None) -> str | None:
    """What has to be reached, in a line."""
    if gate is None:
        return None
    margin, delta = gate["non_inferiority_margin"], gate["min_delta"]
    reached = (
        f"better by {delta:g} or more" if margin is None else f"worse by {margin:g} at the most"
    )
    guards = [_guard(guard) for guard in gate["guards"]]
    return "; ".join([f"{gate['metric']} {reached}, {100 * gate['confidence']:g} % sure", *guards])


def _guard(guard: dict[str, Any]) -> str:
    where = f" on {guard['dataset']['name']}" if guard["dataset"] else ""
    return f"{guard['metric']}{where} worse by {guard['max_drop']:g} at the most"
