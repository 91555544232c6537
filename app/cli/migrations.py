"""`luthier models migrate`: make a model anew elsewhere, with the plan and its price first."""

from typing import Annotated, Any

import typer

from app.cli.console import complain, fail, print_fields, print_rows, remark, say
from app.cli.dataset_views import show_compilation
from app.cli.datasets import Settings
from app.cli.gates import Gate, gate_wish, gate_words
from app.cli.names import base_model as base
from app.cli.names import version
from app.cli.remote import Remote, given, over_http, part, values


@over_http
def migrate(
    remote: Remote,
    ref: Annotated[str, typer.Argument(help="A tuned model's id, or the alias that moves then.")],
    *,
    provider: Annotated[str, typer.Option(help="Where to train.")],
    base_model: Annotated[str, typer.Option(help="From which base model there.")],
    settings: Settings = None,
    evaluate: Annotated[
        str | None, typer.Option(help="Held-out examples; by default those of the model's job.")
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="Of that comparison; repeatable.")
    ] = None,
    gate: Gate = None,
    promote: Annotated[
        str | None, typer.Option(metavar="ALIAS", help="Moves where the gate is passed.")
    ] = None,
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="Also an alias that names the model stays.")
    ] = False,
    budget_usd: Annotated[
        str | None, typer.Option(help="Refuse it where it is quoted to cost more.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")] = False,
) -> None:
    """Train the same recipe elsewhere and compare it with the model that it replaces.

    What is lost and what it costs is shown, and asked about, before anything is spent.
    """
    if promote and no_promote:
        raise typer.BadParameter("give --promote or --no-promote, not both")
    wanted = given(
        {
            "provider": provider,
            "base_model": base_model,
            "hyperparameters": values(settings),
            "evaluate": given({"dataset": evaluate, "metrics": metrics or None}),
            "gate": gate_wish(gate),
            "promote": {"alias": promote} if promote else None,
            "budget_usd": budget_usd,
        }
    )
    if no_promote:
        wanted["promote"] = None
    path = f"/models/{part(ref)}/migrate"
    if dry_run:
        _end_with_plan(remote, path, wanted)
        return
    if not remote.as_json:
        _show_first(remote, path, wanted, asks=not yes)
    elif not yes:
        fail("A program cannot be asked: give --yes, or --dry-run to see the plan.")
    remote.show(remote.create(path, wanted), _show_created)


def _end_with_plan(remote: Remote, path: str, wanted: dict[str, Any]) -> None:
    response = remote.post(path, wanted | {"dry_run": True})
    remote.show(response, lambda planned: _show_plan(planned["plan"]))
    if not response.json()["plan"]["fits"]:
        raise typer.Exit(1)


def _show_first(remote: Remote, path: str, wanted: dict[str, Any], *, asks: bool) -> None:
    """A plan that does not fit ends the command, and so does a no."""
    plan = remote.post(path, wanted | {"dry_run": True}).json()["plan"]
    _show_plan(plan)
    if not plan["fits"]:
        raise typer.Exit(1)
    if asks:
        cost = _cost(plan) or "an amount that nobody knows"
        typer.confirm(f"Train {base(plan)} for {cost}?", abort=True, err=True)


def _show_plan(plan: dict[str, Any]) -> None:
    if plan["compilation"]:
        show_compilation(plan["compilation"])
    baseline, promote = plan["baseline"], plan["promote"]
    print_fields(
        {
            "replaces": plan["migrated_from"],
            "target": base(plan),
            "dataset": version(plan["dataset"]),
            "held out": f"{version(plan['held_out']['dataset'])} ({plan['held_out']['origin']})",
            "compared with": f"{baseline['candidate']} ({baseline['kind']})",
            "because": baseline["why"],
            "gate": gate_words(plan["gate"]),
            "alias": promote and promote["alias"],
            "cost": _cost(plan) or "not known",
        }
    )
    print_rows(
        ("hyperparameter", "from", "to", "why"),
        ((note["field"], note["from"], note["to"], note["why"]) for note in plan["translation"]),
    )
    for told in plan["remarks"]:
        remark(told)
    for reason in plan["reasons"]:
        complain(f"{reason['code']}: {reason['message']}")


def _cost(plan: dict[str, Any]) -> str | None:
    cost = plan["quote"]["cost_usd"]
    return cost and f"{cost['low']} to {cost['high']} USD"


def _show_created(migrated: dict[str, Any]) -> None:
    say(migrated["job"]["id"])
    remark(f"See it: luthier jobs watch {migrated['job']['id']}")
