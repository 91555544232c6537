"""`luthier models`: look at tuned models, ask them, see which retire, remove them."""

import json
from typing import Annotated, Any

import typer

from app.cli.console import complain, out, print_fields, print_rows, say, show_more
from app.cli.names import base_model, minute, version
from app.cli.remote import Cursor, Limit, Remote, given, over_http, part
from app.cli.streaming import data_lines

models = typer.Typer(name="models", help="Models: list, ask, migrate, take along.")

Ref = Annotated[str, typer.Argument(help="A tuned model's id, or `provider/base_model`.")]


@models.command("list")
@over_http
def list_models(
    remote: Remote,
    *,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Tuned models, newest first."""
    remote.show(remote.get("/models", provider=provider, limit=limit, cursor=cursor), _show_list)


@models.command()
@over_http
def retiring(
    remote: Remote,
    *,
    within: Annotated[str, typer.Option(help="Days or weeks from now, as 90d or 12w.")] = "90d",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Tuned models that will not answer for long any more, or do not already."""
    found = remote.get("/models", retiring_within=within, limit=limit, cursor=cursor)
    remote.show(found, _show_retiring)


@models.command()
@over_http
def show(remote: Remote, ref: Ref) -> None:
    """One tuned model, and what it was made with."""
    remote.show(remote.get(f"/models/{part(ref)}"), _show)


@models.command()
@over_http
def ask(
    remote: Remote,
    ref: Ref,
    question: Annotated[str, typer.Argument(help="What the user says.")],
    *,
    system: Annotated[str | None, typer.Option(help="What the model is told before.")] = None,
    stream: Annotated[bool, typer.Option(help="Print the answer word by word.")] = False,
    temperature: Annotated[
        float | None, typer.Option(help="0 for the likeliest answer.", min=0, max=2)
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="How long at the most.", min=1)] = None,
) -> None:
    """Ask a model one question; the exit status is 1 where it refuses."""
    before = [] if system is None else [{"role": "system", "content": system}]
    asked = {
        "messages": [*before, {"role": "user", "content": question}],
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    path = f"/models/{part(ref)}/chat/completions"
    if stream:
        _stream(remote, path, given(asked))
    else:
        remote.show(remote.post(path, given(asked)), _show_answer)


@models.command()
@over_http
def delete(remote: Remote, ref: Ref) -> None:
    """Remove a tuned model here and at its provider."""
    remote.delete(f"/models/{part(ref)}")


def _stream(remote: Remote, path: str, body: dict[str, Any]) -> None:
    for line in data_lines(remote.http, "POST", path, body | {"stream": True}):
        if remote.as_json:
            print(line)
        elif line != "[DONE]":
            _show_piece(json.loads(line))
    if not remote.as_json:
        out.print()


def _show_piece(piece: dict[str, Any]) -> None:
    """What came of the answer, or why no more will."""
    if "error" in piece:
        out.print()
        complain(f"{piece['error']['code']}: {piece['error']['message']}")
        raise typer.Exit(1)
    for choice in piece["choices"]:
        text = choice["delta"].get("content") or ""
        say(text, end="")


def _show_answer(answer: dict[str, Any]) -> None:
    message = answer["choices"][0]["message"]
    say(message.get("content") or json.dumps(message, ensure_ascii=False))


def _show_list(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "base model", "dataset", "name", "created"),
        (
            (
                model["id"],
                base_model(model),
                version(model["dataset"]),
                model["name"],
                minute(model["created_at"]),
            )
            for model in page["data"]
        ),
    )
    show_more(page)


def _show_retiring(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "base model", "answers until", "days left", "trained until", "name"),
        (
            (
                model["id"],
                base_model(model),
                model["serving_ends_at"],
                model["retires_in_days"],
                model["training_ends_at"],
                model["name"],
            )
            for model in page["data"]
        ),
    )
    show_more(page)


def _show(model: dict[str, Any]) -> None:
    print_fields(
        {
            "id": model["id"],
            "name": model["name"],
            "base model": base_model(model),
            "continues": model["parent_model"],
            "job": model["job"],
            "dataset": version(model["dataset"]),
            "method": model["method"]["type"],
            "kind": model["kind"],
            "sha256": model["sha256"],
            "tokens": model["trained_tokens"],
            "created": model["created_at"],
            **model["effective"],
        }
    )
