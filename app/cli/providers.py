"""`luthier providers` and `luthier quote`: where something can be tuned, and at what cost."""

from typing import Annotated, Any

import typer

from app.cli.console import complain, print_fields, print_rows, remark
from app.cli.datasets import Ref, Settings
from app.cli.names import base_model, target, version
from app.cli.remote import Remote, given, over_http, part, values

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


@providers.command()
@over_http
def refresh(remote: Remote, name: Name) -> None:
    """Ask a provider for its list of models now; once a day that is done anyway."""
    remote.show(remote.post(f"/providers/{part(name)}/refresh"), _show_base_models)


@providers.command("import")
@over_http
def take_over(
    remote: Remote,
    name: Name,
    *,
    what: Annotated[
        list[str] | None, typer.Option(help="jobs, files or models; repeatable, by default all.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Only what was created from then on.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at the most.")] = 200,
) -> None:
    """Adopt what is at a provider already: jobs, training files as datasets, tuned models."""
    wanted = {"what": what or None, "since": since, "limit": limit}
    remote.show(remote.create(f"/providers/{part(name)}/import", given(wanted)), _show_import)


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
        "targets": [target(text) for text in targets or []] or None,
    }
    remote.show(remote.post("/quotes", given(wanted)), show_quotes)


def show_quotes(compared: dict[str, Any]) -> None:
    """A line for each platform, and in words why some do not do."""
    remark(f"{version(compared['dataset'])}, {compared['method']}")
    print_rows(
        ("platform", "fits", "tokens", "USD", "minutes", "until", "why not"),
        (_quote(row) for row in compared["data"]),
    )
    reasons = [reason for row in compared["data"] for reason in row["reasons"]]
    for told in dict.fromkeys(f"{reason['code']}: {reason['message']}" for reason in reasons):
        remark(told)


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
        ("name", "methods", "context", "trained until", "answers until", "listed"),
        (
            (
                one["name"],
                ", ".join(one["methods"]),
                one["context_length"],
                one["training_ends_at"],
                one["serving_ends_at"],
                one["state"],
            )
            for one in found["data"]
        ),
    )
    if found["seen_at"]:
        remark(f"The provider's own list was seen at {found['seen_at']}.")
    if found["problem"]:
        complain(f"The provider's own list could not be seen: {found['problem']}")


def _show_import(done: dict[str, Any]) -> None:
    """What is ours from now on; what could not be taken over, and why, goes to stderr."""
    print_rows(
        ("what", "id", "at the provider"),
        (
            (what, adopted["id"], adopted["remote"])
            for what in ("jobs", "files", "models")
            for adopted in done[what]
        ),
    )
    for refused in done["refused"]:
        complain(
            f"{refused['remote']} ({refused['what']}): {refused['code']}: {refused['message']}",
            *(_fault(fault) for fault in refused["errors"]),
        )
    known = sum(done["known"].values())
    remark(f"{known} known before, {len(done['refused'])} refused, {done['left']} left for later")


def _fault(fault: dict[str, Any]) -> str:
    return f"line {fault['line']}: {fault['code']}: {fault['message']}"


def _creation(provider: dict[str, Any]) -> str:
    creation = provider["creation"]
    if not creation["open"]:
        return "closed"
    return f"closes {creation['closes_at']}" if creation["closes_at"] else "open"


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
