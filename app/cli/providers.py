"""`luthier providers` and `luthier quote`: where something can be tuned, and at what cost."""

from typing import Annotated, Any

import typer

from app.cli.console import print_fields, print_rows, remark
from app.cli.datasets import Ref, Settings
from app.cli.names import base_model, version
from app.cli.remote import Remote, over_http, part, values

providers = typer.Typer(name="providers", help="Providers, and what they can tune.")

Name = Annotated[str, typer.Argument(help="The provider's name.")]


@providers.command("list")
@over_http
def list_providers(remote: Remote) -> None:
    """Every provider of this service."""
    remote.show(remote.get("/providers"), _show_list)


@providers.command()
@over_http
def show(remote: Remote, name: Name) -> None:
    """One provider."""
    remote.show(remote.get(f"/providers/{part(name)}"), _show)


@providers.command()
@over_http
def models(remote: Remote, name: Name) -> None:
    """The base models that are known; a provider may accept more."""
    remote.show(remote.get(f"/providers/{part(name)}/base-models"), _show_base_models)


@over_http
def quote(
    remote: Remote,
    dataset: Ref,
    *,
    method: Annotated[str, typer.Option(help="How to train.")] = "sft",
    settings: Settings = None,
    targets: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="PROVIDER/BASE_MODEL", help="Only there; repeatable."),
    ] = None,
) -> None:
    """What a training on a dataset would cost, on every platform; nothing is sent or spent."""
    wanted = {
        "dataset": dataset,
        "method": method,
        "hyperparameters": values(settings),
        "targets": [_target(target) for target in targets or []] or None,
    }
    remote.show(remote.post("/quotes", wanted), _show_quotes)


def _target(text: str) -> dict[str, str]:
    provider, slash, base_model = text.partition("/")
    if not slash:
        raise typer.BadParameter(f"{text!r} is not PROVIDER/BASE_MODEL")
    return {"provider": provider, "base_model": base_model}


def _show_list(found: dict[str, Any]) -> None:
    print_rows(
        ("name", "title", "configured", "creation", "methods"),
        (
            (
                one["name"],
                one["title"],
                one["configured"],
                _creation(one),
                ", ".join(one["methods"]),
            )
            for one in found["data"]
        ),
    )


def _show(provider: dict[str, Any]) -> None:
    print_fields(
        {
            "name": provider["name"],
            "kind": provider["kind"],
            "title": provider["title"],
            "configured": provider["configured"],
            "set these": ", ".join(provider["missing"]),
            "creation": _creation(provider),
            "note": provider["creation"]["note"],
            "methods": ", ".join(provider["methods"]),
            "operations": ", ".join(provider["operations"]),
        }
    )


def _show_base_models(found: dict[str, Any]) -> None:
    print_rows(
        ("name", "methods", "context", "trained until", "answers until"),
        (
            (
                one["name"],
                ", ".join(one["methods"]),
                one["context_length"],
                one["training_ends_at"],
                one["serving_ends_at"],
            )
            for one in found["data"]
        ),
    )


def _creation(provider: dict[str, Any]) -> str:
    creation = provider["creation"]
    if not creation["open"]:
        return "closed"
    return f"closes {creation['closes_at']}" if creation["closes_at"] else "open"


def _show_quotes(compared: dict[str, Any]) -> None:
    remark(f"{version(compared['dataset'])}, {compared['method']}")
    print_rows(
        ("platform", "fits", "tokens", "USD", "minutes", "until", "why not"),
        (_quote(row) for row in compared["data"]),
    )
    reasons = [reason for row in compared["data"] for reason in row["reasons"]]
    for told in dict.fromkeys(f"{reason['code']}: {reason['message']}" for reason in reasons):
        remark(told)


def _quote(row: dict[str, Any]) -> tuple[object, ...]:
    cost, seconds = row["cost_usd"], row["duration_seconds"]
    return (
        base_model(row),
        row["fits"],
        row["tokens"],
        cost and f"{cost['low']} to {cost['high']}",
        seconds and f"{seconds['low'] / 60:.0f} to {seconds['high'] / 60:.0f}",
        row["deadlines"]["creation_closes_at"] or row["deadlines"]["training_ends_at"],
        ", ".join(dict.fromkeys(reason["code"] for reason in row["reasons"])),
    )
