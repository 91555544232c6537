"""`luthier aliases`: names for models, moved under a gate and back."""

from typing import Annotated, Any

import typer

from app.cli.console import print_fields, print_rows, say, show_more
from app.cli.gates import Gate, gate_wish, gate_words
from app.cli.names import minute
from app.cli.remote import Cursor, Limit, Remote, over_http, part

aliases = typer.Typer(name="aliases", help="Aliases: names for models, moved and moved back.")

Name = Annotated[str, typer.Argument(help="The alias, such as support@prod.")]


@aliases.command("list")
@over_http
def list_aliases(remote: Remote, *, limit: Limit = 50, cursor: Cursor = None) -> None:
    """Aliases, newest first."""
    remote.show(remote.get("/aliases", limit=limit, cursor=cursor), _show_list)


@aliases.command()
@over_http
def show(remote: Remote, name: Name) -> None:
    """The model that an alias means now, and its gate."""
    remote.show(remote.get(f"/aliases/{part(name)}"), _show)


@aliases.command()
@over_http
def put(
    remote: Remote,
    name: Name,
    model: Annotated[
        str, typer.Argument(help="A tuned model's id, `provider/base_model` or another alias.")
    ],
    *,
    evaluation: Annotated[
        str | None, typer.Option(help="The evaluation that passes the alias's gate.")
    ] = None,
    gate: Gate = None,
    no_gate: Annotated[
        bool, typer.Option("--no-gate", help="Take the gate away; left out it stays.")
    ] = False,
) -> None:
    """Make an alias, or move it at once for every caller."""
    if gate and no_gate:
        raise typer.BadParameter("give --gate or --no-gate, not both")
    wanted: dict[str, Any] = {"model": model, "evaluation": evaluation}
    if gate or no_gate:
        wanted["gate"] = gate_wish(gate)
    remote.show(remote.put(f"/aliases/{part(name)}", wanted), _show_target)


@aliases.command()
@over_http
def rollback(remote: Remote, name: Name) -> None:
    """Undo the latest move that still holds, whatever the gate says."""
    remote.show(remote.create(f"/aliases/{part(name)}/rollback"), _show_target)


@aliases.command()
@over_http
def history(remote: Remote, name: Name) -> None:
    """The latest hundred decisions, newest first."""
    remote.show(remote.get(f"/aliases/{part(name)}"), _show_history)


@aliases.command()
@over_http
def delete(remote: Remote, name: Name) -> None:
    """Forget the name; its models stay, and so does its history."""
    remote.delete(f"/aliases/{part(name)}")


def _show_list(page: dict[str, Any]) -> None:
    print_rows(
        ("name", "model", "moved", "gate"),
        (
            (alias["name"], alias["model"], minute(alias["moved_at"]), gate_words(alias["gate"]))
            for alias in page["data"]
        ),
    )
    show_more(page)


def _show(alias: dict[str, Any]) -> None:
    print_fields(
        {
            "name": alias["name"],
            "model": alias["model"],
            "gate": gate_words(alias["gate"]),
            "created": alias["created_at"],
            "moved": alias["moved_at"],
        }
    )


def _show_target(alias: dict[str, Any]) -> None:
    say(f"{alias['name']} -> {alias['model']}")


def _show_history(alias: dict[str, Any]) -> None:
    print_rows(
        ("at", "decision", "by", "from", "to", "evaluation", "reason"),
        (
            (
                minute(told["at"]),
                told["kind"],
                told["by"],
                told["from_model"],
                told["to_model"],
                told["evaluation"],
                told["reason"],
            )
            for told in alias["history"]
        ),
    )
