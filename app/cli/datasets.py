"""`luthier datasets`: bring examples in, look at them, and take them out again."""

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.cli.console import print_rows, remark, say, show_more
from app.cli.dataset_views import (
    show_compilation,
    show_dataset,
    show_diff,
    show_report,
    show_split,
)
from app.cli.names import minute, version
from app.cli.polling import until
from app.cli.remote import Cursor, Limit, Remote, given, over_http, pairs, part, values
from app.cli.saving import Output, save

datasets = typer.Typer(name="datasets", help="Datasets: upload, look at, split, download.")

Ref = Annotated[str, typer.Argument(help="Id, `name` (the newest version) or `name@3`.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A hyperparameter; repeatable."),
]


@datasets.command()
@over_http
def upload(
    remote: Remote,
    file: Annotated[Path, typer.Argument(help="The file.", exists=True, dir_okay=False)],
    *,
    name: Annotated[str, typer.Option(help="Collects versions.")],
    format: Annotated[
        str | None, typer.Option(help="jsonl, json, csv, tsv or parquet, if it cannot be seen.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=MEANING", help="What a column stands for; an empty meaning drops it."
        ),
    ] = None,
    on_error: Annotated[
        str, typer.Option(help="What wrong rows do: reject the file, or skip them.")
    ] = "reject",
) -> None:
    """Check a file line by line and store it; prints the new version's id."""
    meant = {column: meaning or None for column, meaning in pairs(columns, "=").items()}
    fields = {
        "name": name,
        "on_error": on_error,
        "format": format,
        "columns": json.dumps(meant) if meant else None,
    }
    remote.show(send_file(remote, file, given(fields)), _show_uploaded)


@datasets.command("list")
@over_http
def list_datasets(
    remote: Remote,
    *,
    name: Annotated[str | None, typer.Option(help="Only versions of this name.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Dataset versions, newest first."""
    remote.show(remote.get("/datasets", name=name, limit=limit, cursor=cursor), _show_list)


@datasets.command()
@over_http
def show(remote: Remote, ref: Ref) -> None:
    """One version."""
    remote.show(remote.get(f"/datasets/{part(ref)}"), show_dataset)


@datasets.command()
@over_http
def report(
    remote: Remote,
    ref: Ref,
    *,
    wait: Annotated[bool, typer.Option(help="Until it is ready.")] = False,
) -> None:
    """What is good and bad about the examples, and what to do next."""
    found = ready_report(remote, ref) if wait else _report(remote, ref)
    remote.show(found, show_report)


@datasets.command("compile")
@over_http
def compile_dataset(
    remote: Remote,
    ref: Ref,
    *,
    provider: Annotated[str, typer.Option(help="For whom.")],
    base_model: Annotated[str, typer.Option(help="For which base model.")],
    method: Annotated[str, typer.Option(help="How it would be trained.")] = "sft",
    settings: Settings = None,
) -> None:
    """What a provider would say of the examples; nothing is sent there."""
    target = {
        "provider": provider,
        "base_model": base_model,
        "method": {"type": method, "hyperparameters": values(settings)},
    }
    response = remote.post(f"/datasets/{part(ref)}/compile", target)
    remote.show(response, show_compilation)
    if not response.json()["ok"]:
        raise typer.Exit(1)


@datasets.command()
@over_http
def split(
    remote: Remote,
    ref: Ref,
    *,
    validation: Annotated[float, typer.Option(help="Share to steer training by.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share to measure with at the end.")] = 0.1,
    seed: Annotated[int, typer.Option(help="The same seed, the same parts.")] = 0,
    group_by: Annotated[
        str | None, typer.Option(help="JSON pointer; what is the same there stays together.")
    ] = None,
) -> None:
    """Make training, validation and test versions that share no example."""
    wanted = {"validation": validation, "test": test, "seed": seed, "group_by": group_by}
    remote.show(remote.create(f"/datasets/{part(ref)}/split", given(wanted)), show_split)


@datasets.command()
@over_http
def diff(
    remote: Remote,
    ref: Ref,
    *,
    against: Annotated[
        str | None, typer.Option(help="The older version; by default its parent.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """What differs from another version, line by line."""
    path = f"/datasets/{part(ref)}/diff"
    remote.show(remote.get(path, against=against, limit=limit, cursor=cursor), show_diff)


@datasets.command()
@over_http
def download(
    remote: Remote,
    ref: Ref,
    *,
    format: Annotated[
        str | None, typer.Option(help="The form of a row: instruction, sharegpt, openai_chat...")
    ] = None,
    container: Annotated[str, typer.Option(help="jsonl, json, csv, tsv or parquet.")] = "jsonl",
    compression: Annotated[str, typer.Option(help="none, gzip or zstd.")] = "none",
    losses: Annotated[
        str, typer.Option(help="What the form cannot carry: refuse or accept.")
    ] = "refuse",
    output: Output = None,
) -> None:
    """The examples as a file, also in other forms."""
    asked = {
        "container": container,
        "compression": compression,
        "losses": losses,
        "format": format,
    }
    save(remote, f"/datasets/{part(ref)}/content", given(asked), output=output)


def send_file(remote: Remote, file: Path, fields: dict[str, str]) -> httpx.Response:
    """The answer to a file that is to become a version."""
    with file.open("rb") as content:
        return remote.http.post("/datasets", data=fields, files={"file": (file.name, content)})


def ready_report(remote: Remote, ref: str) -> httpx.Response:
    """The answer that has the whole report, or why there will be none."""
    return until(
        lambda response: response.json()["status"] in ("ready", "failed"),
        lambda: _report(remote, ref),
    )


def _report(remote: Remote, ref: str) -> httpx.Response:
    return remote.get(f"/datasets/{part(ref)}/report")


def _show_uploaded(dataset: dict[str, Any]) -> None:
    say(dataset["id"])
    aside = f", {dataset['rejected']} rows set aside" if dataset["rejected"] else ""
    remark(f"{version(dataset)}: {dataset['examples']} {dataset['kind']} examples{aside}")


def _show_list(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "version", "kind", "examples", "tokens", "created"),
        (
            (
                one["id"],
                version(one),
                one["kind"],
                one["examples"],
                one["tokens"],
                minute(one["created_at"]),
            )
            for one in page["data"]
        ),
    )
    show_more(page)
